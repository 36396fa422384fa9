import { randomStream } from '../random.ts';
import { type Interval, Z } from './interval.ts';

const REPETITIONS = 400;

/**
 * The 95 % interval of a statistic by the percentile bootstrap: samples are drawn anew with replacement, which gives each
 * of them a weight (how often it was drawn), and the statistic is computed with those weights. Repetitions without a value
 * (no sample of a class was drawn) do not count; without any, the interval is not a number.
 *
 * Efron, "Bootstrap Methods: Another Look at the Jackknife" (1979).
 */
export function bootstrapInterval(
  samples: number,
  statistic: (weights: Float64Array) => number,
  repetitions = REPETITIONS,
): Interval {
  const random = randomStream(0, 'bootstrap', samples);
  const values: number[] = [];
  const weights = new Float64Array(samples);
  for (let repetition = 0; repetition < repetitions; repetition++) {
    weights.fill(0);
    for (let i = 0; i < samples; i++) weights[random.integer(samples)]! += 1;
    const value = statistic(weights);
    if (!Number.isNaN(value)) values.push(value);
  }
  values.sort((a, b) => a - b);
  return { low: quantile(values, 0.025), high: quantile(values, 0.975) };
}

/** The 95 % interval of a mean of `samples` values with this variance (of single values). */
export function meanInterval(mean: number, variance: number, samples: number): Interval {
  const half = Z * Math.sqrt(variance / samples);
  return { low: mean - half, high: mean + half };
}

/** Linear between the two nearest values, as numpy's; NaN without values. */
function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return below + (place - Math.floor(place)) * (above - below);
}
