import { accuracyInterval } from './interval.ts';
import { type Metric, metric } from './metric.ts';
import { columnOf, type OutputOptions, rowOf } from './output-rows.ts';
/**
 * The chance that class `truth` is among the `k` highest of `scores`; classes of the same score are in random order, so
 * that scores which are all alike are right in k of n cases.
 */
export function isInTop(scores: ArrayLike<number>, truth: number, k: number): number {
  const own = scores[truth] as number;
  let [above, equal] = [0, 0];
  for (let i = 0; i < scores.length; i++) {
    if (i === truth) continue;
    if ((scores[i] as number) > own) above++;
    else if (scores[i] === own) equal++;
  }
  return Number.isNaN(own) ? 0 : Math.max(0, Math.min(1, (k - above) / (equal + 1)));
}

/** Samples whose class is among the `k` with the highest logits / samples with a label; 0 without any. */
export function topKAccuracy(options: OutputOptions & { readonly k: number }): Metric {
  const { k, labels = 'labels' } = options;
  return metric<{ right: number; counted: number }>({
    name: `accuracy@${k}`,
    title: `top-${k} accuracy`,
    better: 'higher',
    format: 'percent',
    start: () => ({ right: 0, counted: 0 }),
    add(state, answers, { filled, columns }) {
      const classes = columnOf(columns, labels).data as Int32Array;
      for (let row = 0; row < filled; row++) {
        const label = classes[row] as number;
        if (label < 0) continue;
        state.counted++;
        state.right += isInTop(rowOf(answers, row) as Float32Array, label, k);
      }
    },
    value: ({ right, counted }) => (counted > 0 ? right / counted : 0),
    interval: ({ right, counted }) => accuracyInterval(right, counted),
  });
}
