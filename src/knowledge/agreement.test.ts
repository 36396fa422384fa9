import { describe, expect, it } from 'vitest';
import { Agreement, klDivergence } from './agreement.ts';

describe('klDivergence', () => {
  it('is the sum of p log(p/q)', () => {
    const a = Float32Array.of(Math.log(0.7), Math.log(0.2), Math.log(0.1));
    const b = Float32Array.of(Math.log(0.5), Math.log(0.25), Math.log(0.25));
    const expected = 0.7 * Math.log(0.7 / 0.5) + 0.2 * Math.log(0.2 / 0.25) + 0.1 * Math.log(0.1 / 0.25);
    expect(klDivergence(a, b)).toBeCloseTo(expected, 6);
  });

  it('does not change when a constant is added to the logits, however large', () => {
    const a = Float32Array.of(1, 2, 3);
    const b = Float32Array.of(2, 2, 2);
    const shifted = (values: Float32Array, by: number) => values.map((value) => value + by);
    expect(klDivergence(shifted(a, 1000), shifted(b, -3000))).toBeCloseTo(klDivergence(a, b), 5);
    expect(klDivergence(a, a)).toBe(0);
  });

  it('stays finite for one-hot distributions', () => {
    const sure = Float32Array.of(1e4, 0, 0);
    expect(klDivergence(sure, Float32Array.of(0, 0, 0))).toBeCloseTo(Math.log(3), 6);
    expect(klDivergence(Float32Array.of(0, -Infinity), Float32Array.of(0, -Infinity))).toBe(0);
  });
});

describe('Agreement', () => {
  it('counts over several batches', () => {
    const agreement = new Agreement(2);
    agreement.add(Float32Array.of(1, 0, 0, 1), Float32Array.of(2, 0, 3, 1));
    agreement.add(Float32Array.of(5, 0), Float32Array.of(5, 0));
    const { samples, top1, kl, worstKl } = agreement.summary();
    expect(samples).toBe(3);
    expect(top1).toBeCloseTo(2 / 3, 12);
    expect(worstKl).toBeCloseTo(klDivergence(Float32Array.of(0, 1), Float32Array.of(3, 1)), 12);
    expect(kl).toBeCloseTo((worstKl + klDivergence(Float32Array.of(1, 0), Float32Array.of(2, 0))) / 3, 12);
  });

  it('does not compare what does not fit', () => {
    expect(() => new Agreement(2).add(new Float32Array(4), new Float32Array(2))).toThrow();
    expect(() => new Agreement(3).add(new Float32Array(4), new Float32Array(4))).toThrow();
    expect(() => new Agreement(2).summary()).toThrow('no samples');
  });
});
