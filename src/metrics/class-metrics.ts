import { accuracy } from './accuracy.ts';
import type { ClassMetricOptions } from './class-answers.ts';
import { crossEntropy } from './cross-entropy.ts';
import { macroF1 } from './macro-f1.ts';
import type { Metric } from './metric.ts';

/** What an answer of one class a sample is measured by: accuracy, macro-F1 and cross-entropy. */
export function classMetrics(options: ClassMetricOptions & { readonly classes: number }): Metric[] {
  return [accuracy(options), macroF1(options), crossEntropy(options)];
}
