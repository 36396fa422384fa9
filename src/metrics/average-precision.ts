import { bootstrapInterval } from './bootstrap.ts';
import { LabelScores, type LabelScoresOptions } from './label-scores.ts';
import { type Metric, metric } from './metric.ts';
import { byFalling, ties } from './sorted.ts';

/**
 * Average precision of scores against 0 and 1: the precision at each threshold, weighted by the recall that it adds;
 * samples of one score come in together, as scikit-learn has it. `weights` count samples several times (for a bootstrap),
 * `order` is `byFalling(scores)` where it is known. NaN without positive samples.
 *
 * @example
 * averagePrecision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]); // 0.8333
 */
export function averagePrecision(
  scores: ArrayLike<number>,
  truth: ArrayLike<number>,
  weights?: ArrayLike<number>,
  order: Uint32Array = byFalling(scores),
): number {
  let [right, called, sum] = [0, 0, 0];
  for (const [from, to] of ties(scores, order)) {
    let added = 0;
    for (let i = from; i < to; i++) {
      const sample = order[i] as number;
      // Nobody knows.
      if ((truth[sample] as number) < 0) continue;
      const weight = weights ? (weights[sample] as number) : 1;
      called += weight;
      if (truth[sample] === 1) added += weight;
    }
    right += added;
    if (added > 0) sum += (right / called) * added;
  }
  return right > 0 ? sum / right : Number.NaN;
}

/**
 * Mean average precision over samples with several classes: `macro` over the classes that have samples, `micro` of all
 * (sample, class) pairs together.
 */
export function meanAveragePrecision(
  options: LabelScoresOptions & { readonly average?: 'macro' | 'micro' },
): Metric {
  const { classes, average = 'macro' } = options;
  return metric<LabelScores>({
    name: average === 'macro' ? 'macroAP' : 'microAP',
    title: `${average} average precision`,
    better: 'higher',
    format: 'percent',
    start: () => new LabelScores(classes),
    add: (scores, answers, batch) => scores.add(answers, batch, options),
    value: (scores) => precisionOf(scores, average)(),
    interval: (scores) => bootstrapInterval(scores.samples, precisionOf(scores, average), 200),
  });
}

/** Sorts once: a bootstrap asks for many weights. */
function precisionOf(scores: LabelScores, average: 'macro' | 'micro'): (weights?: Float64Array) => number {
  const parts =
    average === 'micro'
      ? [scores.together()]
      : Array.from({ length: scores.classes }, (_, k) => scores.ofClass(k));
  const sorted = parts.map((part) => ({ ...part, order: byFalling(part.scores) }));
  return (weights) => {
    const values = sorted.map(({ scores: own, truth, order }) =>
      averagePrecision(own, truth, weights && repeated(weights, own.length), order),
    );
    const known = values.filter((value) => !Number.isNaN(value));
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  };
}

/** A sample's weight for each of its classes, where all pairs stand class after class. */
function repeated(weights: Float64Array, length: number): ArrayLike<number> {
  if (length === weights.length) return weights;
  return Float64Array.from({ length }, (_, i) => weights[i % weights.length]!);
}
