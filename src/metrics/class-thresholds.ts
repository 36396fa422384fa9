import { byFalling, ties } from './sorted.ts';

/** A threshold on a class's scores, and the F1 that it has on the samples that it was chosen on. */
export interface ClassThreshold {
  /** Samples with this score and more are called the class. */
  readonly threshold: number;
  readonly f1: number;
}

/**
 * The threshold with the highest F1 on a class's scores and truth (0 or 1; samples below 0 are left out): half-way between the last score that is called
 * and the first that is not, so that it holds for other samples too. A class without positive samples, whose F1 says
 * nothing, keeps `fallback`. Choose on validation samples, never on those that are reported.
 *
 * Lipton, Elkan and Naryanaswamy, "Optimal Thresholding of Classifiers to Maximize F1 Measure" (2014).
 */
export function chooseThreshold(
  scores: ArrayLike<number>,
  truth: ArrayLike<number>,
  fallback = 0.5,
): ClassThreshold {
  const order = byFalling(scores).filter((sample) => (truth[sample] as number) >= 0);
  let positives = 0;
  for (let i = 0; i < truth.length; i++) positives += truth[i] === 1 ? 1 : 0;
  if (positives === 0) return { threshold: fallback, f1: Number.NaN };
  let [right, f1, threshold] = [0, -1, fallback];
  for (const [from, to] of ties(scores, order)) {
    for (let i = from; i < to; i++) right += truth[order[i] as number] === 1 ? 1 : 0;
    const value = (2 * right) / (to + positives);
    if (value <= f1) continue;
    f1 = value;
    const last = scores[order[from] as number] as number;
    threshold = to < order.length ? (last + (scores[order[to] as number] as number)) / 2 : last;
  }
  return { threshold, f1 };
}
