import type { Bucketed } from '../../data/batches/batch-order.ts';

/** What batches are counted by: the length that a bucket of texts is padded to, and how many samples it has. */
export interface BucketSizes extends Bucketed {
  readonly buckets: readonly { readonly length?: number; readonly size: number }[];
}

/** The length that costs are told by. Images, which are all of one size, have one length. */
export function lengthOf({ length }: { readonly length?: number }): number {
  return length ?? 1;
}

/** Whether batches of a training are always full: where all samples have one shape, for the sake of batch statistics. */
export function fillsBatches({ buckets }: BucketSizes): boolean {
  return buckets.every(({ length }) => length === undefined);
}

/** Rows of a training step, of a recipe that wants so many. */
export function stepRows(split: BucketSizes & { readonly size: number }, wanted: number): number {
  return fillsBatches(split) ? Math.max(1, Math.min(wanted, split.size)) : wanted;
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
    (sum, bucket) => sum + Math.ceil(bucket.size / rows) * secondsAt(seconds, lengthOf(bucket), bucket.size),
    0,
  );
}

/** Seconds for every sample of a split once, by one that is asked about the samples alone: a batch that is short takes less. */
export function secondsForSamples(split: BucketSizes, rows: number, seconds: BatchSeconds): number {
  return split.buckets.reduce(
    (sum, bucket) => sum + (bucket.size / rows) * secondsAt(seconds, lengthOf(bucket), bucket.size),
    0,
  );
}

/** The first batches of a split, in the order of its files, until they have `samples` samples. */
export function firstBatches(split: BucketSizes, rows: number, samples: number): BucketSizes {
  let left = Math.ceil(samples);
  return {
    buckets: split.buckets.map(({ size, ...bucket }) => {
      const taken = Math.min(size, Math.ceil(Math.max(0, left) / rows) * rows);
      left -= taken;
      return { ...bucket, size: taken };
    }),
  };
}

/** How many lengths are measured; what lies between two of them is interpolated. */
const MEASURED_LENGTHS = 4;

/**
 * The buckets to measure, by their positions: the shortest and the longest that have samples, and of those between
 * them the ones that most of the work lies in.
 */
export function bucketsToMeasure({ buckets }: BucketSizes): number[] {
  const filled = buckets.flatMap(({ size }, bucket) => (size > 0 ? [bucket] : []));
  const tokens = (bucket: number) => lengthOf(buckets[bucket]!) * buckets[bucket]!.size;
  const inner = filled.slice(1, -1).sort((a, b) => tokens(b) - tokens(a));
  const ends = [...new Set([...filled.slice(0, 1), ...filled.slice(-1)])];
  return [...ends, ...inner.slice(0, MEASURED_LENGTHS - 2)].sort((a, b) => a - b);
}

/** A batch's seconds grow almost in proportion to its tokens, so a line between two measured lengths is near enough. */
function secondsAt(seconds: BatchSeconds, length: number, size: number): number {
  if (size === 0) return 0;
  const exact = seconds.get(length);
  if (exact !== undefined) return exact;
  const lengths = [...seconds.keys()].sort((a, b) => a - b);
  const after = lengths.findIndex((other) => other > length);
  if (after <= 0) throw new Error(`${length} is outside the measured lengths ${lengths.join(', ')}`);
  const [from, to] = [lengths[after - 1]!, lengths[after]!];
  const part = (length - from) / (to - from);
  return (1 - part) * seconds.get(from)! + part * seconds.get(to)!;
}
