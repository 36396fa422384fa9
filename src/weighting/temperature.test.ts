import { describe, expect, it } from 'vitest';
import { meanNormalizedEntropy, temperatureAt, temperatureByEntropy } from './temperature.ts';

describe('temperatureByEntropy', () => {
  it.each([
    [0, 1],
    [0.05, 1],
    [0.1, 2],
    [0.15, 3],
    [0.325, 4],
    [0.5, 5],
    [1, 5],
  ])('is for a mean normalised entropy of %f: %f', (entropy, temperature) => {
    expect(temperatureByEntropy(entropy)).toBe(temperature);
  });
});

describe('meanNormalizedEntropy', () => {
  it('is 1 for equal chances, 0 for certainty, whatever is added to all logits', () => {
    expect(meanNormalizedEntropy([7, 7, 7], 3)).toBeCloseTo(1, 12);
    expect(meanNormalizedEntropy([1000, 0, 0], 3)).toBeCloseTo(0, 12);
    expect(meanNormalizedEntropy([5, 5, -1e4, 1000, 0, 0], 3)).toBeCloseTo(Math.log(2) / Math.log(3) / 2, 12);
  });

  it('is 0 where nothing can be uncertain', () => {
    expect(meanNormalizedEntropy([], 3)).toBe(0);
    expect(meanNormalizedEntropy([1, 2], 1)).toBe(0);
  });
});

describe('temperatureAt', () => {
  const schedule = { peak: 0.01, totalSteps: 110, warmup: 10 / 110, decay: 'linear' } as const;

  it('falls to 1 with the rate, after the warm-up', () => {
    expect([0, 9, 10].map((step) => temperatureAt(5, schedule, step))).toEqual([5, 5, 5]);
    expect(temperatureAt(5, schedule, 60)).toBeCloseTo(3, 12);
    expect(temperatureAt(5, schedule, 110)).toBeCloseTo(1, 12);
  });

  it('rises to 1 from below, and stays with a constant rate', () => {
    expect(temperatureAt(0.5, schedule, 110)).toBeCloseTo(1, 12);
    expect(temperatureAt(5, { ...schedule, decay: 'constant' }, 110)).toBe(5);
  });
});
