import { type ClassMetricOptions, readLogits } from './class-answers.ts';
import { type Metric, metric } from './metric.ts';
/** Answers counted by their confidence, in bins of equal width. */
export interface ConfidenceBins {
  readonly counts: Float64Array;
  readonly confidences: Float64Array;
  readonly right: Float64Array;
}

export function createConfidenceBins(bins = 15): ConfidenceBins {
  const zeros = () => new Float64Array(bins);
  return { counts: zeros(), confidences: zeros(), right: zeros() };
}

/** Counts one answer; `confidence` is the probability of the class that was answered, 0 to 1. */
export function addConfidence(
  { counts, confidences, right }: ConfidenceBins,
  confidence: number,
  isRight: boolean,
): void {
  const bin = Math.min(counts.length - 1, Math.floor(confidence * counts.length));
  counts[bin]! += 1;
  confidences[bin]! += confidence;
  if (isRight) right[bin]! += 1;
}

/**
 * Expected calibration error: |mean confidence - accuracy| of a bin, in the mean over answers; 0 to 1, NaN without any.
 *
 * Guo et al., "On Calibration of Modern Neural Networks" (2017), with its 15 bins.
 */
export function calibrationError({ counts, confidences, right }: ConfidenceBins): number {
  let [error, total] = [0, 0];
  counts.forEach((count, bin) => {
    total += count;
    error += Math.abs(confidences[bin]! - right[bin]!);
  });
  return total > 0 ? error / total : Number.NaN;
}

/** Expected calibration error of a classifier: its confidence is the softmax's largest probability. */
export function expectedCalibrationError(
  options: ClassMetricOptions & { readonly bins?: number } = {},
): Metric {
  return metric<ConfidenceBins>({
    name: 'calibrationError',
    title: 'expected calibration error',
    better: 'lower',
    format: 'percent',
    start: () => createConfidenceBins(options.bins),
    add(bins, answers, batch) {
      for (const { label, answer, confidence } of readLogits(answers, batch, options))
        addConfidence(bins, confidence, label === answer);
    },
    value: calibrationError,
  });
}
