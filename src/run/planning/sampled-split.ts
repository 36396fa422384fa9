import type { TokenSplit } from '../../data/token-split.ts';

/** The first samples of one bucket, as a split of its own: what one batch shape is measured on. */
export function sampledBucket(split: TokenSplit, bucket: number, samples: number): TokenSplit {
  const { length, size } = split.buckets[bucket]!;
  const taken = Math.min(size, samples);
  return {
    name: split.name,
    size: taken,
    buckets: [{ length, size: taken }],
    readBatch: (_, indices, rows) => split.readBatch(bucket, indices, rows),
    text: (ordinal) => split.text(ordinal),
    id: (ordinal) => split.id(ordinal),
    // The split that it looks into is the data set's to close.
    close: () => {},
  };
}

/** One bucket of each length that some of the splits have samples of, from the split that has most. */
export function sampledBuckets(splits: readonly TokenSplit[], samples: number): TokenSplit[] {
  return (splits[0]?.buckets ?? []).flatMap((_, bucket) => {
    const fullest = splits.reduce((best, split) =>
      split.buckets[bucket]!.size > best.buckets[bucket]!.size ? split : best,
    );
    return fullest.buckets[bucket]!.size > 0 ? [sampledBucket(fullest, bucket, samples)] : [];
  });
}
