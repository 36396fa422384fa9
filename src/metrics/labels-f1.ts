import { bootstrapInterval } from './bootstrap.ts';
import { LabelScores, type LabelScoresOptions } from './label-scores.ts';
import { type Metric, metric } from './metric.ts';
/** Right, called and true of each class, over samples that may have several classes. */
export interface LabelCounts {
  readonly right: Float64Array;
  readonly called: Float64Array;
  readonly present: Float64Array;
}

export function createLabelCounts(classes: number): LabelCounts {
  const zeros = () => new Float64Array(classes);
  return { right: zeros(), called: zeros(), present: zeros() };
}

/** Counts one sample: its scores are called classes from their thresholds on, `truth` is 0 or 1 a class, or less than 0 where nobody knows. */
export function countLabels(
  counts: LabelCounts,
  scores: ArrayLike<number>,
  truth: ArrayLike<number>,
  thresholds: ArrayLike<number>,
  weight = 1,
): void {
  for (let k = 0; k < counts.right.length; k++) {
    if ((truth[k] as number) < 0) continue;
    const called = (scores[k] as number) >= (thresholds[k] as number);
    const present = truth[k] === 1;
    if (called) counts.called[k]! += weight;
    if (present) counts.present[k]! += weight;
    if (called && present) counts.right[k]! += weight;
  }
}

/** Mean F1 over the classes that have samples; NaN without any. A class that was never called has 0. */
export function macroF1OfLabels({ right, called, present }: LabelCounts): number {
  let [sum, classes] = [0, 0];
  for (let k = 0; k < right.length; k++) {
    if (present[k]! === 0) continue;
    classes++;
    sum += (2 * right[k]!) / (called[k]! + present[k]!);
  }
  return classes > 0 ? sum / classes : Number.NaN;
}

/** F1 of all answers of all classes together; NaN where nothing is there and nothing was called. */
export function microF1OfLabels({ right, called, present }: LabelCounts): number {
  const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
  const all = total(called) + total(present);
  return all > 0 ? (2 * total(right)) / all : Number.NaN;
}

/**
 * F1 over samples with several classes. `thresholds`, of logits, one a class: those of `chooseThreshold` on validation
 * samples; 0, a probability of one half, when absent.
 */
export function labelsF1(
  options: LabelScoresOptions & {
    readonly average?: 'macro' | 'micro';
    readonly thresholds?: ArrayLike<number>;
  },
): Metric {
  const { classes, average = 'macro', thresholds = new Float64Array(classes) } = options;
  const value = (scores: LabelScores, weights?: Float64Array) => {
    const counts = createLabelCounts(classes);
    for (let i = 0; i < scores.samples; i++) {
      const sample = scores.ofSample(i);
      countLabels(counts, sample.scores, sample.truth, thresholds, weights?.[i]);
    }
    return average === 'macro' ? macroF1OfLabels(counts) : microF1OfLabels(counts);
  };
  return metric<LabelScores>({
    name: average === 'macro' ? 'macroF1' : 'microF1',
    title: `${average}-F1`,
    better: 'higher',
    format: 'percent',
    start: () => new LabelScores(classes),
    add: (scores, answers, batch) => scores.add(answers, batch, options),
    value: (scores) => value(scores),
    interval: (scores) => bootstrapInterval(scores.samples, (weights) => value(scores, weights), 200),
  });
}
