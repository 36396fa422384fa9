/** Lengths beyond `maxLength` are counted in steps of this part of it. */
const STEPS = 8;
/** Longer texts than this many times `maxLength` are counted as if they were as long. */
const FARTHEST = 64;

/** How long texts are, in tokens, before they are cut. */
export interface LengthSummary {
  median: number;
  /** 95 of 100 texts are no longer. */
  most: number;
  longest: number;
  /** Texts that `maxLength` cuts. */
  cut: number;
  /** The least `maxLength` that would cut 1 text of 100 at most, to an eighth of the present one. */
  enough: number;
}

/** Texts longer than `maxLength`: how many are up to each length, and the longest. */
export interface LongTexts {
  longest: number;
  /** [length, texts up to it and beyond the one before], ascending. */
  counts: [number, number][];
}

/** Counts the lengths of texts that are longer than `maxLength`. */
export class LongTextCounter {
  readonly #maxLength: number;
  readonly #step: number;
  readonly #counts = new Map<number, number>();
  #longest = 0;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
    this.#step = Math.max(1, Math.ceil(maxLength / STEPS));
  }

  add(length: number): void {
    this.#longest = Math.max(this.#longest, length);
    const beyond = Math.ceil((length - this.#maxLength) / this.#step) * this.#step;
    const upTo = Math.min(this.#maxLength + beyond, this.#maxLength * FARTHEST);
    this.#counts.set(upTo, (this.#counts.get(upTo) ?? 0) + 1);
  }

  found(): LongTexts {
    return { longest: this.#longest, counts: [...this.#counts].sort(([a], [b]) => a - b) };
  }
}

/**
 * Sums up the lengths of a data set.
 *
 * @param tokenLengths how many texts have 0, 1, 2 ... maxLength tokens, after cutting
 * @param long those that were cut; they are counted in `tokenLengths` as well
 * @returns undefined where there are no texts
 */
export function summarizeLengths(
  tokenLengths: readonly number[],
  long: LongTexts | undefined,
): LengthSummary | undefined {
  const total = tokenLengths.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const cut = (long?.counts ?? []).reduce((sum, [, count]) => sum + count, 0);
  const maxLength = tokenLengths.length - 1;
  const counts: [number, number][] = [
    ...tokenLengths.map((count, length): [number, number] => [
      length,
      length === maxLength ? count - cut : count,
    ]),
    ...(long?.counts ?? []),
  ];
  const upTo = (share: number) => {
    let sum = 0;
    for (const [length, count] of counts) {
      sum += count;
      if (sum >= share * total) return length;
    }
    return maxLength;
  };
  const longestWhole = tokenLengths.findLastIndex((count) => count > 0);
  return {
    median: upTo(0.5),
    most: upTo(0.95),
    longest: long && long.longest > 0 ? long.longest : longestWhole,
    cut,
    enough: upTo(0.99),
  };
}
