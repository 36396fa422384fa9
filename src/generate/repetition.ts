/** Tokens of the stretches that are counted. */
const STRETCH = 4;

/**
 * The share of a text's stretches of four tokens that it had before: 0 where none repeats, near 1 for one word over and over; 0 of
 * texts that are too short to have two (Welleck et al., "Neural Text Generation with Unlikelihood Training", 2020, section 5,
 * seq-rep-4; arXiv 1908.04319).
 */
export function repetition(ids: ArrayLike<number>): number {
  const count = ids.length - STRETCH + 1;
  if (count < 2) return 0;
  const seen = new Set<string>();
  for (let from = 0; from < count; from++)
    seen.add(Array.from({ length: STRETCH }, (_, i) => ids[from + i]).join());
  return 1 - seen.size / count;
}

/** Lengths and repetition of texts, as means. */
export interface TextStatistics {
  readonly texts: number;
  /** Mean number of tokens. */
  readonly tokens: number;
  /** Mean of `repetition`. */
  readonly repetition: number;
}

/** Sums up texts, one after another. */
export class TextSummary {
  #texts = 0;
  #tokens = 0;
  #repetition = 0;

  add(ids: ArrayLike<number>): void {
    this.#texts++;
    this.#tokens += ids.length;
    this.#repetition += repetition(ids);
  }

  value(): TextStatistics {
    const texts = Math.max(1, this.#texts);
    return { texts: this.#texts, tokens: this.#tokens / texts, repetition: this.#repetition / texts };
  }
}
