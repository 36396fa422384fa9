import { meanInterval } from './bootstrap.ts';
import { type Metric, metric } from './metric.ts';
import { type OutputOptions, outputRows } from './output-rows.ts';
import { dot } from './vector-pairs.ts';

interface Sums {
  sum: number;
  squares: number;
  counted: number;
}

/** Mean cosine between the vectors that a model answers and those of a column, -1 to 1. A vector of zeros has 0. */
export function vectorCosine(options: OutputOptions = {}): Metric {
  return metric<Sums>({
    name: 'cosine',
    title: 'cosine',
    better: 'higher',
    format: 'number',
    start: () => ({ sum: 0, squares: 0, counted: 0 }),
    add(state, answers, batch) {
      for (const { answer, truth } of outputRows(answers, batch, options)) {
        const lengths = Math.sqrt(dot(answer, answer) * dot(truth, truth));
        const cosine = lengths > 0 ? dot(answer, truth) / lengths : 0;
        state.sum += cosine;
        state.squares += cosine ** 2;
        state.counted++;
      }
    },
    value: ({ sum, counted }) => sum / counted,
    interval: ({ sum, squares, counted }) =>
      meanInterval(sum / counted, squares / counted - (sum / counted) ** 2, counted),
  });
}
