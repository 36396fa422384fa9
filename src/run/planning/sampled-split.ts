import type { Batch } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import { bucketsToMeasure } from './batch-counts.ts';

/** The first samples of a split of one bucket, as a batch of `rows`. */
export function firstRows(sample: Split, rows: number): Batch {
  const filled = Math.min(rows, sample.size);
  return sample.readBatch(
    0,
    Array.from({ length: filled }, (_, i) => i),
    rows,
  );
}

/** Batches of each length that the measured steps take in turn, so that they do not train on the same rows. */
export const MEASURED_BATCHES = 3;

/** The first samples of one bucket, as a split of its own: what one batch shape is measured on. */
export function sampledBucket(split: Split, bucket: number, samples: number): Split {
  const { size, ...shape } = split.buckets[bucket]!;
  const taken = Math.min(size, samples);
  return {
    name: split.name,
    size: taken,
    buckets: [{ ...shape, size: taken }],
    readBatch: (_, indices, rows) => split.readBatch(bucket, indices, rows),
    example: (ordinal) => split.example(ordinal),
    // The split that it looks into is the data set's to close.
    close: () => {},
  };
}

/** The batches of a sample, one after another and from the beginning again, each read when it is asked for. */
export function batchesInTurn(sample: Split, rows: number): () => Batch {
  const count = Math.ceil(sample.size / rows);
  let next = 0;
  return () => {
    const first = (next++ % count) * rows;
    const filled = Math.min(rows, sample.size - first);
    return sample.readBatch(
      0,
      Array.from({ length: filled }, (_, row) => first + row),
      rows,
    );
  };
}

/** The buckets that are worth measuring, each from the one of the splits that has most samples of its length. */
export function sampledBuckets(splits: readonly Split[], samples: number): Split[] {
  const fullest = (splits[0]?.buckets ?? []).map((_, bucket) =>
    splits.reduce((best, split) => (split.buckets[bucket]!.size > best.buckets[bucket]!.size ? split : best)),
  );
  const sizes = { buckets: fullest.map(({ buckets }, bucket) => buckets[bucket]!) };
  return bucketsToMeasure(sizes).map((bucket) => sampledBucket(fullest[bucket]!, bucket, samples));
}
