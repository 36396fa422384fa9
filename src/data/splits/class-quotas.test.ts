import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classQuotas } from './class-quotas.ts';

const quotas = (counts: number[], wanted: number, spare?: 0 | 1) =>
  classQuotas(
    counts.map((count, i) => ({ name: 'abcdefgh'[i] as string, count })),
    wanted,
    spare,
  );

describe('classQuotas', () => {
  it('gives every class its part', () => {
    expect(quotas([500, 300, 200], 100)).toEqual([50, 30, 20]);
    expect(quotas([1, 1], 0)).toEqual([0, 0]);
    // The remainders are 0.5, 0.3 and 0.2.
    expect(quotas([15, 13, 12], 4)).toEqual([2, 1, 1]);
  });

  it('holds out one of two samples, and leaves the only one to train', () => {
    expect(quotas([89, 86, 2, 85], 50)).toEqual([17, 16, 1, 16]);
    expect(quotas([100, 1], 10)).toEqual([10, 0]);
    // No room for every class: the largest first.
    expect(quotas([100, 50, 2, 2], 2)).toEqual([1, 1, 0, 0]);
  });

  it('takes the last sample of a class only when all are wanted', () => {
    expect(quotas([3, 3], 4)).toEqual([2, 2]);
    expect(quotas([3, 3], 6)).toEqual([3, 3]);
    expect(quotas([3, 3], 9)).toEqual([3, 3]);
    expect(quotas([100, 1], 50, 0)).toEqual([49, 1]);
  });

  it('adds up to what is wanted, within one of the exact part where no class is rare', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 40, max: 400 }), { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0.05, max: 0.9, noNaN: true }),
        (counts, part) => {
          const total = counts.reduce((a, b) => a + b);
          const wanted = Math.round(part * total);
          const found = quotas(counts, wanted);
          expect(found.reduce((a, b) => a + b)).toBe(wanted);
          for (const [i, quota] of found.entries()) {
            expect(Math.abs(quota - ((counts[i] as number) * wanted) / total)).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
  });
});
