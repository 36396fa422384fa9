import { type Interval, Z } from './interval.ts';
import { KeptRows } from './kept-rows.ts';
import { type Metric, metric } from './metric.ts';
import { type OutputOptions, outputRows } from './output-rows.ts';
import { averageRanks } from './sorted.ts';

/** Means, variances and the covariance of pairs, one pair after another. */
export interface PairMoments {
  samples: number;
  meanA: number;
  meanB: number;
  /** Sums of squared deviations, and of their products. */
  squaresA: number;
  squaresB: number;
  products: number;
}

export function createPairMoments(): PairMoments {
  return { samples: 0, meanA: 0, meanB: 0, squaresA: 0, squaresB: 0, products: 0 };
}

/** Adds one pair. Stable for values far from 0 (Welford, "Note on a Method for Calculating Corrected Sums", 1962). */
export function addPair(moments: PairMoments, a: number, b: number): void {
  moments.samples++;
  const [dA, dB] = [a - moments.meanA, b - moments.meanB];
  moments.meanA += dA / moments.samples;
  moments.meanB += dB / moments.samples;
  moments.squaresA += dA * (a - moments.meanA);
  moments.squaresB += dB * (b - moments.meanB);
  moments.products += dA * (b - moments.meanB);
}

/** Pearson's correlation, -1 to 1; NaN where one side does not vary. */
export function pearson({ squaresA, squaresB, products }: PairMoments): number {
  const scale = Math.sqrt(squaresA * squaresB);
  return scale > 0 ? Math.max(-1, Math.min(1, products / scale)) : Number.NaN;
}

/** Spearman's rank correlation, ties with their mean rank; NaN where one side does not vary. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [ranksA, ranksB] = [averageRanks(a), averageRanks(b)];
  const moments = createPairMoments();
  ranksA.forEach((rank, i) => {
    addPair(moments, rank, ranksB[i]!);
  });
  return pearson(moments);
}

/**
 * The 95 % interval of a correlation, by Fisher's z: of Pearson's with variance 1 / (n - 3) (Fisher, 1915), of Spearman's
 * with (1 + r² / 2) / (n - 3) (Bonett and Wright, "Sample Size Requirements for Estimating Pearson, Kendall and Spearman
 * Correlations", 2000). Everything from -1 to 1 with fewer than four samples.
 */
export function correlationInterval(
  r: number,
  samples: number,
  kind: 'pearson' | 'spearman' = 'pearson',
): Interval {
  if (samples < 4) return { low: -1, high: 1 };
  const variance = (kind === 'pearson' ? 1 : 1 + r ** 2 / 2) / (samples - 3);
  const half = Z * Math.sqrt(variance);
  return { low: Math.tanh(Math.atanh(r) - half), high: Math.tanh(Math.atanh(r) + half) };
}

/** Pearson's correlation of a number's answers with the truth, from sums: no answer is kept. */
export function pearsonCorrelation(options: OutputOptions = {}): Metric {
  return metric<PairMoments>({
    name: 'pearson',
    title: 'Pearson',
    better: 'higher',
    format: 'number',
    start: createPairMoments,
    add(moments, answers, batch) {
      for (const { answer, truth } of outputRows(answers, batch, options))
        addPair(moments, answer[0]!, truth[0]!);
    },
    value: pearson,
    interval: (moments) => correlationInterval(pearson(moments), moments.samples),
  });
}

/** Spearman's rank correlation of a number's answers with the truth. */
export function spearmanCorrelation(options: OutputOptions = {}): Metric {
  const value = (rows: KeptRows) => spearman(rows.column(0), rows.column(1));
  return metric<KeptRows>({
    name: 'spearman',
    title: 'Spearman',
    better: 'higher',
    format: 'number',
    start: () => new KeptRows(2),
    add(rows, answers, batch) {
      for (const { answer, truth } of outputRows(answers, batch, options)) rows.add([answer[0]!, truth[0]!]);
    },
    value,
    interval: (rows) => correlationInterval(value(rows), rows.length, 'spearman'),
  });
}
