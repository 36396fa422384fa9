import { type ClassMetricOptions, readLogits } from './class-answers.ts';
import { type Metric, metric } from './metric.ts';

/** Right answers / samples with a label; 0 without any. The answer is the class with the largest logit. */
export function accuracy(options: ClassMetricOptions = {}): Metric {
  return metric<{ right: number; counted: number }>({
    name: 'accuracy',
    title: 'accuracy',
    better: 'higher',
    format: 'percent',
    start: () => ({ right: 0, counted: 0 }),
    add(state, answers, batch) {
      for (const { label, answer } of readLogits(answers, batch, options)) {
        state.counted++;
        if (label === answer) state.right++;
      }
    },
    value: ({ right, counted }) => (counted > 0 ? right / counted : 0),
  });
}
