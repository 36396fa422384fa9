import { meanInterval } from './bootstrap.ts';
import { type Metric, metric } from './metric.ts';
import { type OutputOptions, outputRows } from './output-rows.ts';
import { byFalling, ties } from './sorted.ts';

/**
 * Normalised discounted cumulative gain of one list at `k`: gains discounted by log2(1 + place), over that of the best
 * order; items of one score share the mean of their places' discounts. NaN where all gains are 0.
 *
 * Järvelin and Kekäläinen, "Cumulated Gain-Based Evaluation of IR Techniques" (2002);
 * McSherry and Najork, "Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores"
 * (2008).
 */
export function ndcg(gains: ArrayLike<number>, scores: ArrayLike<number>, k: number = gains.length): number {
  const discounts = Array.from({ length: gains.length }, (_, place) =>
    place < k ? 1 / Math.log2(place + 2) : 0,
  );
  const order = byFalling(scores);
  let sum = 0;
  for (const [from, to] of ties(scores, order)) {
    let [gain, discount] = [0, 0];
    for (let i = from; i < to; i++) {
      gain += gains[order[i] as number] as number;
      discount += discounts[i]!;
    }
    sum += (gain * discount) / (to - from);
  }
  let best = 0;
  byFalling(gains).forEach((item, place) => {
    best += (gains[item] as number) * discounts[place]!;
  });
  return best > 0 ? sum / best : Number.NaN;
}

/** Mean NDCG at `k` over lists: scores [rows, items] against gains [rows, items]. */
export function meanNdcg(options: OutputOptions & { readonly k?: number } = {}): Metric {
  const { k } = options;
  return metric<{ sum: number; squares: number; lists: number }>({
    name: k === undefined ? 'ndcg' : `ndcg@${k}`,
    title: k === undefined ? 'NDCG' : `NDCG@${k}`,
    better: 'higher',
    format: 'percent',
    start: () => ({ sum: 0, squares: 0, lists: 0 }),
    add(state, answers, batch) {
      for (const { answer, truth } of outputRows(answers, batch, options)) {
        const value = ndcg(truth, answer, k);
        if (Number.isNaN(value)) continue;
        state.sum += value;
        state.squares += value ** 2;
        state.lists++;
      }
    },
    value: ({ sum, lists }) => sum / lists,
    interval: ({ sum, squares, lists }) => {
      const mean = sum / lists;
      const { low, high } = meanInterval(mean, squares / lists - mean ** 2, lists);
      return { low: Math.max(0, low), high: Math.min(1, high) };
    },
  });
}
