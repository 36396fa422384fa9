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

/** How many lengths are measured; what lies between two of them is interpolated. */
const MEASURED_LENGTHS = 4;

/**
 * The buckets to measure, by their positions: the shortest and the longest that have samples, and of those between
 * them the ones that most of the work lies in.
 */
export function bucketsToMeasure({ buckets }: BucketSizes): number[] {
  const filled = buckets.flatMap(({ size }, bucket) => (size > 0 ? [bucket] : []));
  const tokens = (bucket: number) => buckets[bucket]!.length * buckets[bucket]!.size;
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
