import { expect, it } from 'vitest';
import type { Split } from '../../data/split.ts';
import { tokenBatch } from '../../data/testing/batches.ts';
import type { TrainingBatch } from '../../train/batch-source.ts';
import { validationBatches } from './validation-batches.ts';

/** Texts of one token, which is their position; bucket 0 has 10 of them, bucket 1 none, bucket 2 has 3. */
const split: Split = {
  name: 'validation',
  size: 13,
  buckets: [
    { size: 10, length: 4 },
    { size: 0, length: 6 },
    { size: 3, length: 8 },
  ],
  readBatch(bucket, indices, rows) {
    const length = split.buckets[bucket]?.length as number;
    const ids = new BigInt64Array(rows * length);
    Array.from(indices).forEach((index, row) => {
      ids[row * length] = BigInt(index);
    });
    return tokenBatch({
      rows,
      length,
      filled: indices.length,
      labels: new Int32Array(rows),
      keys: new Uint8Array(),
      ordinals: new Uint32Array(rows),
      ids,
      mask: new BigInt64Array(rows * length).fill(1n),
    });
  },
  example: () => ({ text: '' }),
  close() {},
};

const batches = validationBatches({
  split,
  variants: {
    4: { batch: 5, sequence: 4 },
    6: { batch: 5, sequence: 6 },
    8: { batch: 5, sequence: 8 },
  },
  seed: 1,
});

function samples(variant: string, number: number): number[] {
  const { input_ids } = (batches.batch(variant, number) as TrainingBatch).feeds;
  const [rows, length] = input_ids.dims as [number, number];
  return Array.from({ length: rows }, (_, row) => Number(input_ids.data[row * length]));
}

it('goes through all samples of a size in an order of its own, again and again', () => {
  const once = [...samples('4', 0), ...samples('4', 1)];
  expect(once).not.toEqual(once.toSorted((a, b) => a - b));
  expect(once.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(samples('4', 2)).toEqual(samples('4', 0));
});

it('fills a batch with samples that come twice, and has none where there are no samples', () => {
  expect([...new Set(samples('8', 0))].toSorted()).toEqual([0, 1, 2]);
  expect(batches.batch('8', 0)?.feeds.row_weights?.data).toEqual(Float32Array.of(1, 1, 1, 1, 1));
  expect(batches.batch('6', 0)).toBeUndefined();
});
