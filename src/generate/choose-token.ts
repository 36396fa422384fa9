import type { RandomStream } from '../random.ts';

/** How the next token is chosen. */
export interface ChoiceOptions {
  /**
   * Logits are divided by it: below 1 the likely tokens become likelier. 0 takes the likeliest token, the first of those that are
   * equal. The default is 0, or 1 where `topK` or `topP` is given.
   */
  readonly temperature?: number | undefined;
  /** Only so many of the likeliest tokens are drawn from (Fan et al., "Hierarchical Neural Story Generation", 2018). */
  readonly topK?: number | undefined;
  /**
   * Only the fewest of the likeliest tokens are drawn from that have so much probability together: nucleus sampling (Holtzman et
   * al., "The Curious Case of Neural Text Degeneration", 2020, section 3.1; arXiv 1904.09751).
   */
  readonly topP?: number | undefined;
  /**
   * Logits of tokens that the text has already are divided by it where they are positive, multiplied where negative; 1 changes nothing
   * (Keskar et al., "CTRL", 2019, section 4.1; arXiv 1909.05858).
   */
  readonly repetitionPenalty?: number | undefined;
}

/**
 * Makes the tokens that a text has already less likely, in place.
 *
 * @param logits float32 [vocabulary]
 */
export function penalizeRepetition(logits: Float32Array, tokens: Iterable<number>, penalty: number): void {
  if (penalty === 1) return;
  for (const id of tokens) {
    const logit = logits[id];
    if (logit !== undefined) logits[id] = logit > 0 ? logit / penalty : logit * penalty;
  }
}

/**
 * The place of the largest logit, the first of those that are equal; or that of one that is NaN or infinite, which no token can
 * be chosen by. Tokens may be ruled out by a logit of minus infinity, but not all.
 */
export function largestLogit(logits: Float32Array): { readonly id: number; readonly usable: boolean } {
  let id = 0;
  let largest = logits[0] as number;
  for (let i = 1; i < logits.length; i++) {
    const logit = logits[i] as number;
    if (logit <= largest) continue;
    // Neither one nor the other: this one is NaN, or the first one was.
    if (!(logit > largest)) return { id: Number.isNaN(logit) ? i : id, usable: false };
    id = i;
    largest = logit;
  }
  return { id, usable: Number.isFinite(largest) };
}

/**
 * Draws a token: softmax of the logits over the temperature, cut to the `topK` likeliest, of these to those that hold `topP`.
 *
 * @param logits float32 [vocabulary], finite or minus infinity
 * @param likeliest the place of the largest
 */
export function drawToken(
  logits: Float32Array,
  likeliest: number,
  { temperature = 1, topK, topP }: ChoiceOptions,
  random: RandomStream,
): number {
  const largest = logits[likeliest] as number;
  const least = topK !== undefined && topK < logits.length ? leastOfLargest(logits, topK) : -Infinity;
  const weights = new Float64Array(logits.length);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const logit = logits[i] as number;
    if (logit < least) continue;
    const weight = Math.exp((logit - largest) / temperature);
    weights[i] = weight;
    sum += weight;
  }
  if (topP !== undefined && topP < 1) sum = keepNucleus(weights, sum, topP);
  let rest = random.uniform() * sum;
  for (let i = 0; i < weights.length; i++) {
    rest -= weights[i] as number;
    if (rest < 0) return i;
  }
  return likeliest;
}

/**
 * Sets all weights to 0 but the fewest of the largest ones that hold `part` of their sum, of equal ones the first.
 *
 * @returns the sum of those that stay
 */
function keepNucleus(weights: Float64Array, sum: number, part: number): number {
  // All that weigh less than this hold less than the rest of the sum together: only the others are sorted.
  const least = ((1 - part) * sum) / weights.length;
  const sorted = weights.filter((weight) => weight >= least).sort();
  let held = 0;
  let at = sorted.length;
  while (at > 0 && (at === sorted.length || held < part * sum)) held += sorted[--at] as number;
  const smallest = sorted[at] as number;
  let equal = 0;
  for (let i = at; i < sorted.length && sorted[i] === smallest; i++) equal++;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] as number;
    if (weight < smallest || (weight === smallest && equal-- <= 0)) weights[i] = 0;
  }
  return held;
}

/** The smallest of the `count` largest values. */
function leastOfLargest(values: Float32Array, count: number): number {
  return values[largestPlaces(values, count).at(-1) as number] as number;
}

/** The places of the `count` largest values, the largest first; of equal ones the first. */
export function largestPlaces(values: ArrayLike<number>, count: number): number[] {
  const places: number[] = [];
  let least = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (places.length === count && value <= least) continue;
    // Where it belongs among those that are larger or as large.
    let low = 0;
    let high = places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((values[places[middle] as number] as number) >= value) low = middle + 1;
      else high = middle;
    }
    places.splice(low, 0, i);
    if (places.length > count) places.pop();
    least = values[places.at(-1) as number] as number;
  }
  return places;
}
