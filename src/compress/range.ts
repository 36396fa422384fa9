import type { Histogram } from './histogram.ts';

/** How the range of an activation is chosen from what was observed. */
export type RangeMethod =
  /** All that was seen. */
  | { readonly kind: 'min-max' }
  /** Cuts `1 - fraction` of the values, half of it at each end. */
  | { readonly kind: 'percentile'; readonly fraction: number }
  /** The cut with the least mean square error, of rounding and clipping together. */
  | { readonly kind: 'mse' };

/** What calibration saw of one value. */
export interface ObservedRange {
  readonly min: number;
  readonly max: number;
  readonly histogram: Histogram;
}

/** By the name of the value. */
export type Ranges = ReadonlyMap<string, ObservedRange>;

/** [low, high] for an observed value. */
export function chooseRange(observed: ObservedRange, method: RangeMethod): [number, number] {
  const { min, max, histogram } = observed;
  if (method.kind === 'percentile') {
    const tail = (1 - method.fraction) / 2;
    return [histogram.quantile(tail), histogram.quantile(1 - tail)];
  }
  if (method.kind === 'min-max') return [min, max];
  let best: [number, number] = [min, max];
  let least = histogram.clippingError(min, max);
  // Each end shrinks in steps of 5 %, first both, then one alone: activations after GELU or ReLU are lopsided.
  for (const [shrinkLow, shrinkHigh] of [
    [true, true],
    [true, false],
    [false, true],
  ]) {
    const [fromLow, fromHigh] = best;
    for (let factor = 0.95; factor > 0.1; factor -= 0.05) {
      const low = shrinkLow ? fromLow * factor : fromLow;
      const high = shrinkHigh ? fromHigh * factor : fromHigh;
      if (!(low < high)) continue;
      const error = histogram.clippingError(Math.min(low, 0), Math.max(high, 0));
      if (error < least) {
        least = error;
        best = [low, high];
      }
    }
  }
  return best;
}
