import type { ReliabilityBin } from './class-answers.ts';

const BINS = 10;

/** Confidences and right answers in ten bins of equal width. */
export interface Reliability {
  readonly counts: Float64Array;
  readonly confidences: Float64Array;
  readonly right: Float64Array;
}

export function createReliability(): Reliability {
  return {
    counts: new Float64Array(BINS),
    confidences: new Float64Array(BINS),
    right: new Float64Array(BINS),
  };
}

/** Counts one answer; `confidence` is the probability given to the predicted class, 0 to 1. */
export function countConfidence(reliability: Reliability, confidence: number, isRight: boolean): void {
  if (!(confidence >= 0 && confidence <= 1)) throw new Error(`confidence ${confidence} is not a probability`);
  const bin = Math.min(BINS - 1, Math.floor(confidence * BINS));
  reliability.counts[bin]! += 1;
  reliability.confidences[bin]! += confidence;
  if (isRight) reliability.right[bin]! += 1;
}

/** The bins that have answers, from unsure to sure. */
export function reliabilityBins(reliability: Reliability): ReliabilityBin[] {
  const bins: ReliabilityBin[] = [];
  for (let bin = 0; bin < BINS; bin++) {
    const count = reliability.counts[bin]!;
    if (count === 0) continue;
    bins.push({
      low: bin / BINS,
      high: (bin + 1) / BINS,
      count,
      meanConfidence: Math.min(1, reliability.confidences[bin]! / count),
      accuracy: reliability.right[bin]! / count,
    });
  }
  return bins;
}

/**
 * Expected calibration error: the mean over answers of |confidence - accuracy| by bin, 0 to 1.
 * Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning".
 */
export function expectedCalibrationError(bins: readonly ReliabilityBin[]): number {
  const total = bins.reduce((sum, bin) => sum + bin.count, 0);
  if (total === 0) return 0;
  return bins.reduce(
    (sum, bin) => sum + (bin.count / total) * Math.abs(bin.meanConfidence - bin.accuracy),
    0,
  );
}
