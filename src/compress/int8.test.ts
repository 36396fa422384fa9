import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from './histogram.ts';
import { affineUint8, quantizeMatrix } from './int8.ts';

const finite = fc.float({ min: -1e6, max: 1e6, noNaN: true });

describe('affineUint8', () => {
  it('rounds every value of its range by half a step at most, and keeps 0 exact', () => {
    fc.assert(
      fc.property(finite, finite, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, part) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b)];
        const { scale, zeroPoint } = affineUint8(min, max);
        const value = min + part * (max - min);
        const level = Math.min(255, Math.max(0, Math.round(value / scale) + zeroPoint));
        // The zero point is rounded too, so the ends of the range may be cut by half a step more.
        expect(Math.abs((level - zeroPoint) * scale - value)).toBeLessThanOrEqual(scale * 1.01);
        expect(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= 255).toBe(true);
      }),
    );
  });

  it('takes ranges of nothing, and of one sign', () => {
    expect(affineUint8(0, 0)).toEqual({ scale: 1, zeroPoint: 0 });
    expect(affineUint8(1e-45, 1e-44)).toEqual({ scale: 1, zeroPoint: 0 });
    expect(affineUint8(2, 255)).toEqual({ scale: 1, zeroPoint: 0 });
    expect(affineUint8(-255, -3)).toEqual({ scale: 1, zeroPoint: 255 });
  });
});

describe('quantizeMatrix', () => {
  const matrix = Float32Array.of(1, -0.5, 0, 254, 0.25, 0);

  it('scales by row, by column or for all', () => {
    const by = (per: 'row' | 'column' | 'tensor') => quantizeMatrix(matrix, [2, 3], per);
    expect(Array.from(by('row').scales)).toEqual([1 / 127, 2].map(Math.fround));
    expect(Array.from(by('column').scales)).toEqual([2, 0.5 / 127, 1].map(Math.fround));
    expect(Array.from(by('tensor').scales)).toEqual([2]);
    // Half a step rounds to the even level, as ONNX Runtime does it.
    expect(Array.from(by('column').data)).toEqual([0, -127, 0, 127, 64, 0]);
  });

  it('is off by half a step at most', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 12, maxLength: 12 }), (values) => {
        for (const [per, levels] of [
          ['row', 127],
          ['column', 127],
          ['tensor', 63],
        ] as const) {
          const { data, scales } = quantizeMatrix(Float32Array.from(values), [3, 4], per, { levels });
          data.forEach((level, i) => {
            const scale = scales[per === 'row' ? Math.floor(i / 4) : per === 'column' ? i % 4 : 0];
            expect(Math.abs(level * scale - Math.fround(values[i]))).toBeLessThanOrEqual(scale * 0.5001);
            expect(Math.abs(level)).toBeLessThanOrEqual(levels);
          });
        }
      }),
    );
  });

  it('names a weight that is not finite', () => {
    const broken = Float32Array.of(1, 2, Number.POSITIVE_INFINITY, 4);
    expect(() => quantizeMatrix(broken, [2, 2], 'column', { name: 'w' })).toThrow("'w' holds Infinity");
  });
});

describe('Histogram', () => {
  it('counts the same whether its bins grew or not', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 40 }), (values) => {
        const [grown, ready] = [new Histogram(), new Histogram()];
        const data = Float32Array.from(values);
        const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        for (let i = 0; i < data.length; i++) grown.add(data, i, i + 1);
        ready.add(Float32Array.of(largest));
        ready.add(data);
        const counts = Array.from(ready.counts);
        counts[Math.floor(largest / ready.width) + 1024]--;
        expect(Array.from(grown.counts)).toEqual(counts);
        expect(grown.counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
      }),
    );
  });

  it('knows its quantiles to a bin', () => {
    const histogram = new Histogram();
    histogram.add(Float32Array.from({ length: 1001 }, (_, i) => i - 500));
    for (const fraction of [0.01, 0.25, 0.5, 0.9]) {
      expect(Math.abs(histogram.quantile(fraction) - (1000 * fraction - 500))).toBeLessThan(2);
    }
    expect(histogram.quantile(1)).toBe(500);
  });
});
