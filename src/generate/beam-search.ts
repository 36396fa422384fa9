import { largestLogit, largestPlaces, penalizeRepetition } from './choose-token.ts';
import type { Decoder, NextLogits } from './decoder.ts';
import { notFinite } from './generate-tokens.ts';
import { checkSettings, type FinishReason, type GenerationOptions, newTokens } from './generation-options.ts';

export interface BeamOptions
  extends Pick<GenerationOptions, 'maxNewTokens' | 'endIds' | 'isStopped' | 'repetitionPenalty' | 'signal'> {
  /** Texts that are followed at once, for each prompt; with 1 it is greedy search. */
  readonly beams: number;
  /**
   * Texts are compared by their log-probability over their number of tokens to the power of it: 1, the default, compares means, 0
   * sums, more prefers longer texts (Wu et al., "Google's Neural Machine Translation System", 2016, section 7; arXiv 1609.08144).
   */
  readonly lengthPenalty?: number | undefined;
}

/** What a search found. */
export interface FoundText {
  /** The tokens that were made, that which ends the text included. */
  readonly ids: readonly number[];
  /** Log-probability of the tokens over their number to the power of `lengthPenalty`. */
  readonly score: number;
  readonly finish: FinishReason;
}

interface Beam {
  readonly ids: readonly number[];
  /** Log-probability of its tokens. */
  readonly sum: number;
}

interface Search {
  readonly prompt: readonly number[];
  beams: readonly Beam[];
  /** Texts that ended, the best first, as many as there are beams. */
  found: readonly FoundText[];
}

/** A beam that goes on: behind which row of the last run. */
interface NextBeam extends Beam {
  readonly row: number;
}

/**
 * Beam search: of each prompt the likeliest continuations, the best first. It follows the `beams` likeliest unfinished texts and
 * ends once as many have ended and no unfinished one can be better, if it goes on as likely as so far.
 *
 * @param prompts token ids, each with at least one; positions of the model have to suffice
 * @throws LimbeckError as `generateTokens`
 */
export async function beamSearch(
  decoder: Decoder,
  prompts: readonly (readonly number[])[],
  options: BeamOptions,
): Promise<FoundText[][]> {
  checkSettings(options);
  const limit = newTokens(decoder, prompts, options);
  const { beams: width, lengthPenalty = 1, endIds = [], isStopped, signal } = options;
  const searches = prompts.map((prompt): Search => ({ prompt, beams: [{ ids: [], sum: 0 }], found: [] }));
  const scored = (ids: readonly number[], sum: number, finish: FinishReason): FoundText => ({
    ids,
    score: sum / ids.length ** lengthPenalty,
    finish,
  });
  const reading = decoder.begin();
  let next: (readonly number[])[] = [...prompts];
  for (let made = 1; made <= limit; made++) {
    signal?.throwIfAborted();
    const logits = await reading.read(next);
    let row = 0;
    const going: NextBeam[] = [];
    for (const [place, search] of searches.entries()) {
      if (search.beams.length === 0) continue;
      const candidates = likeliest(logits, row, search, { place, searches, options });
      row += search.beams.length;
      const { beams, found } = sorted(candidates, made);
      search.found = [...search.found, ...found].sort((a, b) => b.score - a.score).slice(0, width);
      search.beams = isDone(search.found, beams[0], made) ? [] : beams;
      if (search.beams.length > 0) going.push(...beams);
    }
    if (going.length === 0) break;
    reading.keep(going.map((beam) => beam.row));
    next = going.map(({ ids }) => ids.slice(-1));
  }
  return searches.map(({ found }) => [...found]);

  /** Which of the candidates, the likeliest first, go on, and which end. */
  function sorted(candidates: readonly NextBeam[], made: number): { beams: NextBeam[]; found: FoundText[] } {
    const beams: NextBeam[] = [];
    const found: FoundText[] = [];
    for (const [rank, candidate] of candidates.entries()) {
      const { ids, sum } = candidate;
      const finish = finishOf(ids, made);
      // One that ends counts where it is among the best; else those that are better and go on would have no place left.
      if (finish && rank < width) found.push(scored(ids, sum, finish));
      else if (!finish && beams.length < width) beams.push(candidate);
    }
    return { beams, found };
  }

  function finishOf(ids: readonly number[], made: number): FinishReason | undefined {
    if (endIds.includes(ids.at(-1) as number)) return 'end';
    if (isStopped?.(ids)) return 'stop';
    return made >= limit ? 'length' : undefined;
  }

  function isDone(found: readonly FoundText[], best: Beam | undefined, made: number): boolean {
    if (!best) return true;
    const worst = found[width - 1];
    return worst !== undefined && worst.score >= best.sum / made ** lengthPenalty;
  }
}

/** The likeliest continuations of a search's beams by one token, twice as many as beams: half of them may end. */
function likeliest(
  logits: NextLogits,
  firstRow: number,
  { prompt, beams }: Search,
  {
    place,
    searches,
    options: { beams: width, repetitionPenalty = 1 },
  }: { readonly place: number; readonly searches: readonly Search[]; readonly options: BeamOptions },
): NextBeam[] {
  const candidates = beams.flatMap(({ ids, sum }, i) => {
    const row = logits.row(firstRow + i);
    const tokens = [...prompt, ...ids];
    penalizeRepetition(row, new Set(tokens), repetitionPenalty);
    const { id: best, usable } = largestLogit(row);
    if (!usable) {
      const text = { row: place, tokens, promptLength: prompt.length };
      throw notFinite(row, best, text, searches.length);
    }
    const total = logSumExp(row, row[best] as number);
    return largestPlaces(row, 2 * width).map((id) => ({
      ids: [...ids, id],
      sum: sum + (row[id] as number) - total,
      row: firstRow + i,
    }));
  });
  return candidates.sort((a, b) => b.sum - a.sum).slice(0, 2 * width);
}

function logSumExp(values: Float32Array, largest: number): number {
  let sum = 0;
  for (const value of values) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}
