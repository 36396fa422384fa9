import { meanInterval } from './bootstrap.ts';
import type { Interval } from './interval.ts';
import { type Metric, metric } from './metric.ts';
import { type OutputOptions, outputRows } from './output-rows.ts';

/** Sums over the differences of answers and truths: of any number of samples, in three numbers. */
export interface ErrorSums {
  samples: number;
  /** Sums of |d|, d² and d⁴. */
  absolute: number;
  squares: number;
  fourths: number;
}

export function createErrorSums(): ErrorSums {
  return { samples: 0, absolute: 0, squares: 0, fourths: 0 };
}

export function addError(sums: ErrorSums, answer: number, truth: number): void {
  const difference = Math.abs(answer - truth);
  sums.samples++;
  sums.absolute += difference;
  sums.squares += difference ** 2;
  sums.fourths += difference ** 4;
}

/** Mean absolute error; NaN without samples. */
export function meanAbsoluteError({ samples, absolute }: ErrorSums): number {
  return samples > 0 ? absolute / samples : Number.NaN;
}

/** Root of the mean squared error; NaN without samples. */
export function rootMeanSquaredError({ samples, squares }: ErrorSums): number {
  return samples > 0 ? Math.sqrt(squares / samples) : Number.NaN;
}

export function absoluteErrorInterval({ samples, absolute, squares }: ErrorSums): Interval {
  const mean = absolute / samples;
  return nonNegative(meanInterval(mean, squares / samples - mean ** 2, samples));
}

/** The root of the interval of the mean squared error. */
export function rootSquaredErrorInterval({ samples, squares, fourths }: ErrorSums): Interval {
  const mean = squares / samples;
  const { low, high } = nonNegative(meanInterval(mean, fourths / samples - mean ** 2, samples));
  return { low: Math.sqrt(low), high: Math.sqrt(high) };
}

function nonNegative({ low, high }: Interval): Interval {
  return { low: Math.max(0, low), high };
}

/** Root mean squared error of numbers; of vectors, over all their elements. */
export function rmse(options: OutputOptions = {}): Metric {
  return errorMetric(options, {
    name: 'rmse',
    title: 'RMSE',
    value: rootMeanSquaredError,
    interval: rootSquaredErrorInterval,
  });
}

/** Mean absolute error of numbers; of vectors, over all their elements. */
export function mae(options: OutputOptions = {}): Metric {
  return errorMetric(options, {
    name: 'mae',
    title: 'MAE',
    value: meanAbsoluteError,
    interval: absoluteErrorInterval,
  });
}

function errorMetric(
  options: OutputOptions,
  own: Pick<Metric<ErrorSums>, 'name' | 'title' | 'value' | 'interval'>,
): Metric {
  return metric<ErrorSums>({
    ...own,
    better: 'lower',
    format: 'number',
    start: createErrorSums,
    add(sums, answers, batch) {
      for (const { answer, truth } of outputRows(answers, batch, options))
        answer.forEach((value, i) => {
          addError(sums, value, truth[i] as number);
        });
    },
  });
}
