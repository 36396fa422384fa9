import type { Bucketed } from '../../data/batch-order.ts';

/** What batches are counted by: the length that a bucket is padded to, and how many samples it has. */
export interface BucketSizes extends Bucketed {
  readonly buckets: readonly { readonly length: number; readonly size: number }[];
}

/** Seconds of one full batch, by the length that it is padded to. */
export type BatchSeconds = ReadonlyMap<number, number>;

/** Batches of `rows` that a split makes; a bucket's last one may be short. */
export function batchCount(split: BucketSizes, rows: number): number {
  return split.buckets.reduce((sum, { size }) => sum + Math.ceil(size / rows), 0);
}

/** Seconds for every sample of a split once, in batches of `rows` that are filled up where they are short. */
export function secondsForSplit(split: BucketSizes, rows: number, seconds: BatchSeconds): number {
  return split.buckets.reduce(
    (sum, { length, size }) => sum + Math.ceil(size / rows) * secondsAt(seconds, length, size),
    0,
  );
}

/** The first batches of a split, in the order of its files, until they have `texts` samples. */
export function firstBatches(split: BucketSizes, rows: number, texts: number): BucketSizes {
  let left = Math.ceil(texts);
  return {
    buckets: split.buckets.map(({ length, size }) => {
      const taken = Math.min(size, Math.ceil(Math.max(0, left) / rows) * rows);
      left -= taken;
      return { length, size: taken };
    }),
  };
}

function secondsAt(seconds: BatchSeconds, length: number, size: number): number {
  if (size === 0) return 0;
  const found = seconds.get(length);
  if (found === undefined) throw new Error(`no batch of length ${length} was measured`);
  return found;
}
