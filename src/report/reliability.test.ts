import { describe, expect, it } from 'vitest';
import {
  countConfidence,
  createReliability,
  expectedCalibrationError,
  reliabilityBins,
} from './reliability.ts';

describe('reliability', () => {
  it('bins answers by confidence, and 1 into the last bin', () => {
    const reliability = createReliability();
    countConfidence(reliability, 0.5, true);
    countConfidence(reliability, 0.58, false);
    countConfidence(reliability, 1, true);
    const bins = reliabilityBins(reliability);
    expect(bins.map(({ low, count, accuracy }) => [low, count, accuracy])).toEqual([
      [0.5, 2, 0.5],
      [0.9, 1, 1],
    ]);
    expect(bins[0]!.meanConfidence).toBeCloseTo(0.54, 12);
    expect(expectedCalibrationError(bins)).toBeCloseTo((2 / 3) * 0.04, 12);
  });

  it('has no error without answers', () => {
    expect(expectedCalibrationError([])).toBe(0);
  });
});
