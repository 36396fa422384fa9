import { accuracyInterval } from './interval.ts';
import { KeptRows } from './kept-rows.ts';
import { type Metric, metric } from './metric.ts';
import { recallByQuery } from './neighbour-recall.ts';
import { columnOf, rowOf } from './output-rows.ts';

/** Pairs whose similarities are compared with each other: they grow with the square. */
const MOST_PAIRS = 2048;

type Direction = 'both' | 'text-to-image' | 'image-to-text';

export interface PairRecallOptions {
  /** Numbers in the vector of each side. */
  readonly width: number;
  readonly k: number;
  /** Which side looks for the other; `both` is the mean. */
  readonly direction: Direction;
  /** Columns float32 [rows] that are 0 where a side is missing: such a row does not count. */
  readonly weights?: readonly string[];
}

const NAMES: Readonly<Record<Direction, string>> = {
  both: 'recall',
  'text-to-image': 'textToImage',
  'image-to-text': 'imageToText',
};
const TITLES: Readonly<Record<Direction, string>> = {
  both: 'recall',
  'text-to-image': 'images found by texts, recall',
  'image-to-text': 'texts found by images, recall',
};

/**
 * Recall@k of pairs: how often a side's own other side is among the k nearest of all. The output is that of both towers
 * beside each other, float32 [batch, 2 * width]: the text's vector and then the image's, of length 1 each. It falls with the
 * number of pairs, so compare it only over as many; of more than 2,048 it is that of a sample.
 */
export function pairRecall({ width, k, direction, weights = [] }: PairRecallOptions): Metric {
  const found = (pairs: KeptRows) => {
    const rows = Array.from({ length: pairs.length }, (_, pair) => pairs.row(pair));
    const texts = rows.map((row) => row.subarray(0, width));
    const images = rows.map((row) => row.subarray(width));
    const count = (queries: Float64Array[], candidates: Float64Array[]) =>
      recallByQuery(queries, candidates, k).reduce((sum, x) => sum + x, 0);
    if (direction === 'both') return (count(texts, images) + count(images, texts)) / 2;
    return direction === 'text-to-image' ? count(texts, images) : count(images, texts);
  };
  return metric<KeptRows>({
    name: `${NAMES[direction]}@${k}`,
    title: `${TITLES[direction]}@${k}`,
    better: 'higher',
    format: 'percent',
    start: () => new KeptRows(2 * width, MOST_PAIRS),
    add(pairs, answers, { filled, columns }) {
      const counts = weights.map((name) => columnOf(columns, name).data);
      for (let row = 0; row < filled; row++) {
        if (counts.every((count) => Number(count[row]) > 0)) pairs.add(rowOf(answers, row) as Float32Array);
      }
    },
    value: (pairs) => found(pairs) / pairs.length,
    interval: (pairs) => accuracyInterval(found(pairs), pairs.length),
  });
}
