import { DATASET_SPLITS, type DatasetSplit } from '../dataset.ts';

/** What the buckets of a data set may take in memory, all splits together. */
export const HELD_BYTES = 64 << 20;

/** The splits by how often they are read: at every epoch, at every evaluation, now and then, at the end. */
const MOST_READ = ['train', 'validation', 'labelled', 'test'] as const satisfies readonly DatasetSplit[];

/**
 * Which buckets are held in memory, by split: those of the splits that are read most, the largest first, each that
 * still has room.
 *
 * @param bytes sizes of the buckets' files, by split and bucket
 */
export function chooseHeldBuckets(
  bytes: Readonly<Record<DatasetSplit, readonly number[]>>,
  budget = HELD_BYTES,
): Record<DatasetSplit, boolean[]> {
  let left = budget;
  const held = Object.fromEntries(
    DATASET_SPLITS.map((split) => [split, bytes[split].map(() => false)]),
  ) as Record<DatasetSplit, boolean[]>;
  for (const split of MOST_READ) {
    const largestFirst = [...bytes[split].entries()].sort(([, a], [, b]) => b - a);
    for (const [bucket, size] of largestFirst) {
      if (size > left) continue;
      held[split][bucket] = true;
      left -= size;
    }
  }
  return held;
}
