/** A token and the two before it, by their numbers. */
export type Trigram = readonly [before: number, last: number, next: number];

/** Beyond these, a triple of tokens is no exact float64. */
const MOST_TOKENS = Math.floor(Number.MAX_SAFE_INTEGER ** (1 / 3));

/** How often each n-gram of one order occurs, and what is known of those that begin alike. */
interface Order {
  /** Of n-grams, ascending. */
  readonly keys: Float64Array;
  readonly counts: Uint32Array;
  /** Of what they begin with, ascending; how often that occurs, and with how many different ends. */
  readonly contexts: Float64Array;
  readonly sums: Float64Array;
  readonly ends: Uint32Array;
  /** What is taken off each count. */
  readonly discount: number;
}

/**
 * A trigram model of tokens, interpolated with lower orders by Kneser and Ney's continuation counts: a token counts there by how
 * many different ones it follows. Its probabilities are positive and sum to one over the vocabulary.
 *
 * p(w | u v) = max(c(u v w) - D, 0) / c(u v) + D N(u v .) / c(u v) p(w | v), and so on down to one in the vocabulary; D = n1 / (n1 + 2
 * n2), of n-grams that occur once and twice (Ney, Essen and Kneser, 1994).
 *
 * Kneser and Ney, "Improved Backing-off for M-gram Language Modeling" (1995); Chen and Goodman, "An Empirical Study of Smoothing
 * Techniques for Language Modeling" (1998), section 2.7, as interpolated.
 *
 * Memory: some 40 bytes for each trigram that is counted.
 */
export class KneserNey {
  /** Number of tokens, and what stands for none before the first. */
  readonly #vocabulary: number;
  readonly #base: number;
  /** By length, the longest first. */
  readonly #orders: readonly Order[];

  /**
   * @param trigrams of which at most `most` are counted; `before` is -1 where nothing stands before
   * @throws Error for a vocabulary of more than 208,000 tokens
   */
  constructor(vocabulary: number, trigrams: Iterable<Trigram>, most: number) {
    if (!fitsKneserNey(vocabulary)) throw new Error(`${vocabulary} tokens are too many for trigrams`);
    this.#vocabulary = vocabulary;
    this.#base = vocabulary + 1;
    const base = this.#base;
    let keys = new Float64Array(1024);
    let count = 0;
    for (const [before, last, next] of trigrams) {
      if (count === most) break;
      if (count === keys.length) {
        const larger = new Float64Array(Math.min(most, 2 * count));
        larger.set(keys);
        keys = larger;
      }
      keys[count++] = ((before < 0 ? vocabulary : before) * base + last) * base + next;
    }
    const longest = orderOf(keys.subarray(0, count), base);
    // Of each different n-gram the end, one shorter, once: how many tokens it follows.
    const second = orderOf(
      longest.keys.map((key) => key % (base * base)),
      base,
    );
    const first = orderOf(
      second.keys.map((key) => key % base),
      base,
    );
    this.#orders = [longest, second, first];
  }

  /** Trigrams that were counted. */
  get counted(): number {
    return this.#orders[0]?.counts.reduce((sum, count) => sum + count, 0) ?? 0;
  }

  /** The probability of the last token after the two before. */
  probability([before, last, next]: Trigram): number {
    const base = this.#base;
    const prefixes = [(before < 0 ? this.#vocabulary : before) * base + last, last, 0];
    let lower = 1 / this.#vocabulary;
    for (let i = this.#orders.length - 1; i >= 0; i--) {
      const { keys, counts, contexts, sums, ends, discount } = this.#orders[i] as Order;
      const prefix = prefixes[i] as number;
      const context = placeOf(contexts, prefix);
      // What was never seen is left to the shorter ones.
      if (context < 0) continue;
      const place = placeOf(keys, prefix * base + next);
      const own = place < 0 ? 0 : Math.max(0, (counts[place] as number) - discount);
      lower = (own + discount * (ends[context] as number) * lower) / (sums[context] as number);
    }
    return lower;
  }
}

/** Whether trigrams of so many tokens can be counted. */
export function fitsKneserNey(vocabulary: number): boolean {
  return vocabulary + 1 <= MOST_TOKENS;
}

/** Counts n-grams, whose keys are sorted in place. */
function orderOf(all: Float64Array, base: number): Order {
  all.sort();
  const [keys, counts] = runsOf(all);
  const prefixes = keys.map((key) => (key - (key % base)) / base);
  const [contexts, ends] = runsOf(prefixes);
  const sums = new Float64Array(contexts.length);
  let context = 0;
  for (let i = 0; i < keys.length; i++) {
    if (prefixes[i] !== contexts[context]) context++;
    (sums[context] as number) += counts[i] as number;
  }
  const once = counts.reduce((sum, count) => sum + (count === 1 ? 1 : 0), 0);
  const twice = counts.reduce((sum, count) => sum + (count === 2 ? 1 : 0), 0);
  // Where nothing occurs once, half a count: none would leave nothing to the shorter ones.
  return { keys, counts, contexts, sums, ends, discount: once === 0 ? 0.5 : once / (once + 2 * twice) };
}

/** The different values of a sorted list, and how often each is there. */
function runsOf(sorted: Float64Array): [Float64Array, Uint32Array] {
  let size = 0;
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) size++;
  const values = new Float64Array(size);
  const counts = new Uint32Array(size);
  let at = -1;
  for (let i = 0; i < sorted.length; i++) {
    if (i === 0 || sorted[i] !== sorted[i - 1]) values[++at] = sorted[i] as number;
    (counts[at] as number)++;
  }
  return [values, counts];
}

/** Where a value is in a sorted list of different ones; -1 where it is not. */
function placeOf(sorted: Float64Array, value: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((sorted[middle] as number) < value) from = middle + 1;
    else to = middle;
  }
  return sorted[from] === value ? from : -1;
}
