import { describe, expect, it } from 'vitest';
import { randomStream } from '../random.ts';
import { beamSearch } from './beam-search.ts';
import { writtenDecoder } from './testing/written-decoder.ts';

const VOCABULARY = 4;
const END = 3;

/** Logits that differ for every text. */
function logitsOf(tokens: readonly number[]): number[] {
  const random = randomStream(11, ...tokens);
  return Array.from({ length: VOCABULARY }, () => 2 * random.normal());
}

function logProbabilities(tokens: readonly number[]): number[] {
  const logits = logitsOf(tokens);
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return logits.map((logit) => logit - total);
}

/** All texts of at most so many tokens, by their score. */
function allTexts(prompt: readonly number[], most: number, penalty: number) {
  const found: { ids: number[]; score: number }[] = [];
  const visit = (ids: number[], sum: number) => {
    if (ids.at(-1) === END || ids.length === most) {
      found.push({ ids, score: sum / ids.length ** penalty });
      return;
    }
    for (const [id, log] of logProbabilities([...prompt, ...ids]).entries()) visit([...ids, id], sum + log);
  };
  visit([], 0);
  return found.sort((a, b) => b.score - a.score);
}

describe('beam search', () => {
  it.each([0, 1])(
    'finds the best of all texts where it follows enough of them (length penalty %d)',
    async (penalty) => {
      const prompts = [[0], [1, 2], [2, 2, 0]];
      const found = await beamSearch(writtenDecoder(logitsOf), prompts, {
        beams: 64,
        maxNewTokens: 4,
        endIds: [END],
        lengthPenalty: penalty,
      });
      for (const [i, prompt] of prompts.entries()) {
        const [best, second] = allTexts(prompt, 4, penalty);
        expect(found[i][0].ids).toEqual(best.ids);
        expect(found[i][0].score).toBeCloseTo(best.score, 5);
        expect(found[i][1].ids).toEqual(second.ids);
      }
    },
  );

  it('with one beam is greedy, with more finds what is likelier', async () => {
    // The likeliest token leads to where everything is unlikely.
    const trap = (tokens: readonly number[]) => {
      if (tokens.length === 1) return [1, 0.9, -9, -9];
      return tokens[1] === 0 ? [0, 0, 0, 0] : [9, 0, 0, 0];
    };
    const search = (beams: number) =>
      beamSearch(writtenDecoder(trap), [[2]], { beams, maxNewTokens: 2, endIds: [] });
    expect((await search(1))[0][0].ids).toEqual([0, 0]);
    const [[best]] = await search(2);
    expect(best).toMatchObject({ ids: [1, 0], finish: 'length' });
  });

  it('ends once nothing better can come', async () => {
    const ending = (tokens: readonly number[]) => (tokens.length < 3 ? [3, 2, -9, -9] : [-9, -9, -9, 9]);
    const decoder = writtenDecoder(ending);
    const [[best]] = await beamSearch(decoder, [[0]], { beams: 2, maxNewTokens: 50, endIds: [END] });
    expect(best).toMatchObject({ ids: [0, 0, END], finish: 'end' });
    expect(decoder.reads.length).toBeLessThan(6);
  });

  it('says where logits are no numbers', async () => {
    const broken = (tokens: readonly number[]) => (tokens.length < 3 ? [1, 0] : [Number.NaN, 0]);
    await expect(
      beamSearch(writtenDecoder(broken), [[0], [0, 1]], { beams: 2, maxNewTokens: 9 }),
    ).rejects.toMatchObject({ code: 'generate.not-finite', where: expect.stringContaining('text 2 of 2') });
  });
});
