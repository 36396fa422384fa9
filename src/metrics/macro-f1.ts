import { type ClassMetricOptions, readLogits } from './class-answers.ts';
import {
  type Confusion,
  confusionCounts,
  countAnswer,
  createConfusion,
  macroF1 as ofCounts,
} from './confusion.ts';
import { type Metric, metric } from './metric.ts';

/** Mean F1 over the classes that have samples (see `confusion.ts`). */
export function macroF1(options: ClassMetricOptions & { readonly classes: number }): Metric {
  return metric<Confusion>({
    name: 'macroF1',
    title: 'macro-F1',
    better: 'higher',
    format: 'percent',
    start: () => createConfusion(options.classes),
    add(confusion, answers, batch) {
      for (const { label, answer } of readLogits(answers, batch, options))
        countAnswer(confusion, label, answer);
    },
    value: (confusion) => ofCounts(confusionCounts(confusion)),
  });
}
