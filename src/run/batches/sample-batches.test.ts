import { expect, test } from 'vitest';
import type { Batch } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import { bucketBatches, chosenBatches, filledBatches, sampledRows, splitBatches } from './sample-batches.ts';

/** A split of two buckets whose batches tell their rows and how many of them are samples. */
const split = {
  size: 12,
  buckets: [
    { length: 16, size: 5 },
    { length: 32, size: 7 },
  ],
  readBatch: (_: number, indices: ArrayLike<number>, rows: number) =>
    ({ rows, filled: indices.length }) as unknown as Batch,
} as unknown as Split;
const rowsOf = (batches: Iterable<Batch>) => [...batches].map(({ rows, filled }) => [rows, filled]);

test('a model is asked about samples alone: what is left of a bucket is a smaller batch', () => {
  expect(rowsOf(splitBatches(split, 4))).toEqual([4, 1, 4, 3].map((rows) => [rows, rows]));
  expect(rowsOf(splitBatches(split, 256))).toEqual([5, 7].map((rows) => [rows, rows]));
  expect(rowsOf(bucketBatches(split, 0, 256))).toEqual([[5, 5]]);
  expect(rowsOf(chosenBatches(split, 1, [0, 2, 4], 2))).toEqual([2, 1].map((rows) => [rows, rows]));
  expect(rowsOf(sampledRows(split, 6).batches(256))).toEqual([3, 4].map((rows) => [rows, rows]));
});

test('for a graph of so many rows batches are filled up', () => {
  expect(rowsOf(filledBatches(split, 4))).toEqual([4, 1, 4, 3].map((filled) => [4, filled]));
});
