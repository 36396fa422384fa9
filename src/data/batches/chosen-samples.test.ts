import { expect, it } from 'vitest';
import { type Batch, labelsOf } from '../batch.ts';
import type { Split } from '../split.ts';
import { imageBatch } from '../testing/batches.ts';
import { samplesAt, samplesByClasses } from './chosen-samples.ts';

// Sample i of bucket b has the ordinal 10 b + i, which is its only pixel as well.
const LABELS = [
  [0, 1, 2, 0],
  [2, 2, 1],
];
const split: Split = {
  name: 'train',
  size: 7,
  buckets: LABELS.map(({ length }) => ({ size: length })),
  readBatch(bucket, indices, rows) {
    const ordinals = Uint32Array.from(indices, (index) => 10 * bucket + index);
    const labels = new Int32Array(rows).fill(-1);
    labels.set(Array.from(indices, (index) => LABELS[bucket]?.[index] as number));
    const pixels = Float32Array.from({ length: rows }, (_, row) => ordinals[row] ?? 0);
    return imageBatch({
      rows,
      filled: indices.length,
      labels,
      keys: new Uint8Array(0),
      ordinals,
      pixels,
      dims: [1, 1, 1],
    });
  },
  example: (ordinal) => ({ text: `sample ${ordinal}` }),
  close() {},
};

it('divides a split by the classes of its samples, and reads them where they lie', () => {
  const [even, odd] = samplesByClasses(split, [[0, 2], [1]]);
  expect(even?.size).toBe(5);
  expect(odd?.buckets.map(({ size }) => size)).toEqual([1, 1]);
  const batch = even?.readBatch(0, [2, 0], 3) as Batch;
  expect([...labelsOf(batch)]).toEqual([0, 0, -1]);
  expect([...batch.ordinals]).toEqual([3, 0]);
  expect(even?.example(batch.ordinals[0] as number).text).toBe('sample 3');
  expect([...(odd?.places() ?? [])]).toEqual([
    { bucket: 0, index: 1 },
    { bucket: 1, index: 2 },
  ]);
});

it('refuses a sample that was not chosen', () => {
  const some = samplesAt(split, [{ bucket: 1, index: 0 }]);
  expect(() => some.readBatch(1, [1], 1)).toThrow('no sample 1');
});
