import { type Interval, Z } from './interval.ts';
import { LabelScores, type LabelScoresOptions } from './label-scores.ts';
import { type Metric, metric } from './metric.ts';
import { averageRanks } from './sorted.ts';

/** Area under the ROC curve, and what each sample contributes to its error. */
export interface RocArea {
  /** The chance that a positive sample scores higher than a negative one, ties counting half; NaN without both kinds. */
  readonly area: number;
  /** By sample; the sum of their squares is the variance of `area`. */
  readonly influences: Float64Array;
}

/**
 * Area under the ROC curve of scores against 0 and 1 (below 0: unknown, and left out), from average ranks, so that ties are exact
 * (Mann and Whitney, 1947). The influences give DeLong's variance, also of means of areas over the same samples.
 *
 * DeLong, DeLong and Clarke-Pearson, "Comparing the Areas under Two or More Correlated Receiver Operating Characteristic
 * Curves" (1988).
 *
 * @example
 * rocArea([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]).area; // 0.75
 */
export function rocArea(scores: ArrayLike<number>, truth: ArrayLike<number>): RocArea {
  const influences = new Float64Array(scores.length);
  const positives = Array.from({ length: truth.length }, (_, i) => i).filter((i) => truth[i] === 1);
  const negatives = Array.from({ length: truth.length }, (_, i) => i).filter(
    (i) => truth[i] !== 1 && (truth[i] as number) >= 0,
  );
  const [m, n] = [positives.length, negatives.length];
  if (m === 0 || n === 0) return { area: Number.NaN, influences };
  const known = m + n === scores.length ? undefined : [...positives, ...negatives].sort((a, b) => a - b);
  const ranks = known ? ranksAmong(scores, known) : averageRanks(scores);
  const withinPositives = averageRanks(positives.map((i) => scores[i] as number));
  const withinNegatives = averageRanks(negatives.map((i) => scores[i] as number));
  const sum = positives.reduce((total, i) => total + ranks[i]!, 0);
  const area = (sum - (m * (m + 1)) / 2) / (m * n);
  // The share of negatives below a positive, and of positives above a negative.
  positives.forEach((i, k) => {
    influences[i] = ((ranks[i]! - withinPositives[k]!) / n - area) / m;
  });
  negatives.forEach((i, k) => {
    influences[i] = (1 - (ranks[i]! - withinNegatives[k]!) / m - area) / n;
  });
  return { area, influences };
}

/** The average ranks of some of the scores among themselves, at their places. */
function ranksAmong(scores: ArrayLike<number>, places: readonly number[]): Float64Array {
  const own = averageRanks(places.map((place) => scores[place] as number));
  const ranks = new Float64Array(scores.length);
  places.forEach((place, i) => {
    ranks[place] = own[i] as number;
  });
  return ranks;
}

/**
 * AUROC over samples with several classes: `macro` the mean of the classes' areas (those without both kinds of samples left
 * out), `micro` the area of all (sample, class) pairs together. Its interval is DeLong's.
 */
export function auroc(options: LabelScoresOptions & { readonly average?: 'macro' | 'micro' }): Metric {
  const { classes, average = 'macro' } = options;
  return metric<LabelScores>({
    name: average === 'macro' ? 'macroAuroc' : 'microAuroc',
    title: `${average}-AUROC`,
    better: 'higher',
    format: 'percent',
    start: () => new LabelScores(classes),
    add: (scores, answers, batch) => scores.add(answers, batch, options),
    value: (scores) => meanRocArea(areasOf(scores, average), scores.samples).value,
    interval: (scores) => meanRocArea(areasOf(scores, average), scores.samples).interval,
  });
}

/** The mean of the areas that are numbers, over the same samples; NaN without any. */
export function meanRocArea(
  areas: readonly RocArea[],
  samples: number,
): { readonly value: number; readonly interval: Interval } {
  const known = areas.filter(({ area }) => !Number.isNaN(area));
  const value = known.reduce((sum, { area }) => sum + area, 0) / known.length;
  const influences = new Float64Array(samples);
  for (const area of known) {
    // With all pairs together, a sample has an influence for each of its classes.
    area.influences.forEach((influence, i) => {
      influences[i % samples]! += influence / known.length;
    });
  }
  const half = Z * Math.sqrt(influences.reduce((sum, influence) => sum + influence ** 2, 0));
  return { value, interval: { low: Math.max(0, value - half), high: Math.min(1, value + half) } };
}

function areasOf(scores: LabelScores, average: 'macro' | 'micro'): RocArea[] {
  if (average === 'micro') {
    const { scores: all, truth } = scores.together();
    return [rocArea(all, truth)];
  }
  return Array.from({ length: scores.classes }, (_, k) => {
    const own = scores.ofClass(k);
    return rocArea(own.scores, own.truth);
  });
}
