/** Bins on each side of zero. */
const HALF = 1024;

/**
 * Counts of values in equal bins around zero. The bins double in width when a value lies outside, so that one pass
 * over data of unknown range is enough.
 */
export class Histogram {
  /** Bin i holds values in [(i - HALF) * width, (i + 1 - HALF) * width). */
  readonly counts = new Float64Array(2 * HALF);
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  #bound = 2 ** -10;

  /** Width of a bin. */
  get width(): number {
    return this.#bound / HALF;
  }

  /** Adds values[start..end). Returns the position of the first value that is not finite, or -1. */
  add(values: Float32Array, start = 0, end = values.length): number {
    let { min, max } = this;
    for (let i = start; i < end; i++) {
      const value = values[i];
      if (value < min) min = value;
      if (value > max) max = value;
      // One test for NaN and both infinities: their difference with themselves is NaN.
      if (value - value !== 0) return i;
    }
    this.min = min;
    this.max = max;
    this.#widen(Math.max(Math.abs(min), Math.abs(max)));
    const { counts } = this;
    const perUnit = HALF / this.#bound;
    for (let i = start; i < end; i++) counts[Math.floor(values[i] * perUnit) + HALF]++;
    this.count += end - start;
    return -1;
  }

  #widen(bound: number): void {
    while (bound >= this.#bound) {
      this.#bound *= 2;
      const { counts } = this;
      // Pairs of bins become one, from the middle outwards.
      for (let i = 0; i < HALF; i++) {
        const [left, right] = [HALF - 1 - i, HALF + i];
        const inside = 2 * i < HALF;
        counts[right] = inside ? counts[HALF + 2 * i] + counts[HALF + 2 * i + 1] : 0;
        counts[left] = inside ? counts[HALF - 1 - 2 * i] + counts[HALF - 2 - 2 * i] : 0;
      }
    }
  }

  /** The value below which `fraction` of all values lie, to the width of a bin and within [min, max]. */
  quantile(fraction: number): number {
    const target = fraction * this.count;
    let below = 0;
    for (let i = 0; i < this.counts.length; i++) {
      const next = below + this.counts[i];
      if (next >= target && this.counts[i] > 0) {
        const within = (target - below) / this.counts[i];
        return Math.min(this.max, Math.max(this.min, (i - HALF + within) * this.width));
      }
      below = next;
    }
    return this.max;
  }

  /** The mean square error of 8-bit rounding when values are clipped to [low, high]. */
  clippingError(low: number, high: number): number {
    const rounding = ((high - low) / 255) ** 2 / 12;
    let error = 0;
    for (let i = 0; i < this.counts.length; i++) {
      if (this.counts[i] === 0) continue;
      const middle = Math.min(this.max, Math.max(this.min, (i - HALF + 0.5) * this.width));
      const outside = middle < low ? low - middle : middle > high ? middle - high : 0;
      error += this.counts[i] * (outside > 0 ? outside ** 2 : rounding);
    }
    return error / this.count;
  }
}
