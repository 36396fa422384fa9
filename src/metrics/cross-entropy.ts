import { type ClassMetricOptions, readLogits } from './class-answers.ts';
import { type Metric, metric } from './metric.ts';

/** Mean of minus the log of the label's probability, in nats; its name is `loss`, as in the metrics of a training. */
export function crossEntropy(options: ClassMetricOptions = {}): Metric {
  return metric<{ sum: number; counted: number }>({
    name: 'loss',
    title: 'cross-entropy',
    better: 'lower',
    format: 'number',
    start: () => ({ sum: 0, counted: 0 }),
    add(state, answers, batch) {
      for (const row of readLogits(answers, batch, options)) {
        state.sum += row.crossEntropy;
        state.counted++;
      }
    },
    value: ({ sum, counted }) => sum / Math.max(1, counted),
  });
}
