import { describe, expect, it } from 'vitest';
import type { Decoder } from './decoder.ts';
import { generateTokens } from './generate-tokens.ts';
import type { GenerationOptions } from './generation-options.ts';
import { writtenDecoder } from './testing/written-decoder.ts';

const VOCABULARY = 20;
const END = 19;
/** Says that the number that follows the last one comes next, and 9 before the end. */
const counting = (tokens: readonly number[]) => {
  const last = tokens.at(-1) as number;
  return Array.from({ length: VOCABULARY }, (_, id) => (id === (last === 9 ? END : last + 1) ? 5 : 0));
};

async function textsOf(decoder: Decoder, prompts: number[][], options: GenerationOptions) {
  const texts = prompts.map(() => ({ ids: [] as number[], finish: undefined as string | undefined }));
  for await (const { row, id, finish } of generateTokens(decoder, prompts, options)) {
    expect(texts[row].finish).toBeUndefined();
    texts[row].ids.push(id);
    texts[row].finish = finish;
  }
  return texts;
}

it('goes on until the end of each text, which then leaves the batch', async () => {
  const decoder = writtenDecoder(counting);
  expect(await textsOf(decoder, [[5, 6], [8], [1]], { endIds: [END], maxNewTokens: 4 })).toEqual([
    { ids: [7, 8, 9, END], finish: 'end' },
    { ids: [9, END], finish: 'end' },
    { ids: [2, 3, 4, 5], finish: 'length' },
  ]);
  expect(decoder.reads.map((rows) => rows.length)).toEqual([3, 3, 2, 2]);
});

it('stops where it is told', async () => {
  const isStopped = (made: readonly number[]) => made.at(-1) === 4 && made.length > 1;
  expect(await textsOf(writtenDecoder(counting), [[2], [3]], { isStopped, maxNewTokens: 3 })).toEqual([
    { ids: [3, 4], finish: 'stop' },
    { ids: [4, 5, 6], finish: 'length' },
  ]);
});

describe('draws', () => {
  const even = () => new Array(VOCABULARY).fill(0);
  const drawn = (prompts: number[][], seed: number) =>
    textsOf(writtenDecoder(even), prompts, { temperature: 1, seed, maxNewTokens: 12 });

  it('are the same of the same seed, and others of another', async () => {
    const [first, again, other] = [await drawn([[1]], 7), await drawn([[1]], 7), await drawn([[1]], 8)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('of a text with a seed of its own do not depend on its place', async () => {
    const texts = (seeds: number[]) =>
      textsOf(
        writtenDecoder(even),
        seeds.map(() => [1]),
        { temperature: 1, seeds, maxNewTokens: 12 },
      );
    const [[first, second], swapped] = [await texts([5, 6]), await texts([6, 5])];
    expect(swapped).toEqual([second, first]);
    expect(second).not.toEqual(first);
  });

  it('of a text do not depend on those after it in the batch', async () => {
    const [alone] = await drawn([[1]], 7);
    const [beside, second] = await drawn([[1], [1]], 7);
    expect(beside).toEqual(alone);
    expect(second).not.toEqual(alone);
  });
});

it('repeats itself less where that is made less likely', async () => {
  const twoLikely = () => [1, 0.9, 0.8, 0];
  const [{ ids }] = await textsOf(writtenDecoder(twoLikely), [[3]], {
    repetitionPenalty: 2,
    maxNewTokens: 3,
  });
  expect(ids).toEqual([0, 1, 2]);
});

describe('a text longer than the positions', () => {
  it('is refused before the first token, with what there is room for', async () => {
    const decoder = writtenDecoder(counting, 4);
    const run = (prompt: number[], maxNewTokens?: number) => textsOf(decoder, [prompt], { maxNewTokens });
    await expect(run([1, 2, 3], 3)).rejects.toMatchObject({
      code: 'generate.too-long',
      remedy: expect.stringContaining('at most 2'),
    });
    await expect(run([1, 2, 3, 4, 5])).rejects.toMatchObject({ code: 'generate.too-long' });
    expect(decoder.reads).toEqual([]);
    expect(await run([1, 2, 3], 2)).toEqual([{ ids: [4, 5], finish: 'length' }]);
    expect(await run([1, 2])).toEqual([{ ids: [3, 4, 5], finish: 'length' }]);
  });

  it('is read by its last part alone where that is asked for', async () => {
    const decoder = writtenDecoder(counting, 4);
    const [long, short] = await textsOf(decoder, [[0, 1, 2, 3, 4, 5], [1]], {
      whenFull: 'window',
      maxNewTokens: 4,
    });
    expect(long.ids).toEqual([6, 7, 8, 9]);
    expect(short.ids).toEqual([2, 3, 4, 5]);
    expect(decoder.reads).toEqual([
      [[2, 3, 4, 5], [1]],
      // The last two of the long text; of the short one all, as it would be alone.
      [
        [5, 6],
        [1, 2],
      ],
      [[7], [3]],
      [[8], [4]],
    ]);
  });
});

describe('what is wrong is said', () => {
  const run = (options: GenerationOptions, prompts = [[1]]) =>
    textsOf(writtenDecoder(counting), prompts, options);
  it.each([
    [{ maxNewTokens: 0 }, /maxNewTokens cannot be 0/],
    [{ maxNewTokens: Number.POSITIVE_INFINITY }, /maxNewTokens/],
    [{ temperature: -1 }, /temperature cannot be -1/],
    [{ topP: 0 }, /topP/],
    [{ topK: 1.5 }, /topK/],
    [{ seed: -1 }, /seed/],
  ] as [GenerationOptions, RegExp][])('of %j', async (options, message) => {
    await expect(run(options)).rejects.toMatchObject({
      code: 'generate.options',
      message: expect.stringMatching(message),
    });
  });

  it('of a prompt without tokens', async () => {
    await expect(run({}, [[1], []])).rejects.toMatchObject({
      code: 'generate.prompt',
      where: 'prompt 2 of 2',
    });
  });

  it('of logits that are no numbers, with their place', async () => {
    const broken = (tokens: readonly number[]) => (tokens.length < 4 ? counting(tokens) : [0, 0, Number.NaN]);
    const decoder = writtenDecoder(broken);
    await expect(textsOf(decoder, [[1], [2, 3]], {})).rejects.toMatchObject({
      code: 'generate.not-finite',
      message: "the model's logit of token 2 is NaN",
      where: 'text 2 of 2, behind token 4 (2 made)',
    });
  });

  it('and a signal ends it', async () => {
    const controller = new AbortController();
    const made: number[] = [];
    const run = async () => {
      for await (const { id } of generateTokens(writtenDecoder(counting), [[1]], {
        signal: controller.signal,
      })) {
        made.push(id);
        if (made.length === 3) controller.abort();
      }
    };
    await expect(run()).rejects.toMatchObject({ name: 'AbortError' });
    expect(made).toEqual([2, 3, 4]);
  });
});

it('names a text whose logits are no numbers', async () => {
  const decoder = writtenDecoder((tokens) => (tokens[0] === 2 ? [0, Number.NaN] : [0, 1]));
  const titleOf = (row: number) => `document ${'ab'[row]}`;
  await expect(textsOf(decoder, [[1], [2]], { titleOf })).rejects.toMatchObject({
    code: 'generate.not-finite',
    where: 'document b, behind token 1 (0 made)',
  });
});
