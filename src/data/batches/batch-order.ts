import { Permutation } from '../splits/permutation.ts';

/** The bucket and the positions in it of a batch's samples. */
export interface BatchPlan {
  readonly bucket: number;
  readonly indices: Uint32Array;
}

/** Sizes of a split's buckets: all that an order of batches depends on. */
export interface Bucketed {
  readonly buckets: readonly { readonly size: number }[];
}

/**
 * The random order in which a split's samples are seen: every sample once an epoch, batches of one bucket each, and
 * the batches of all buckets mixed. The last batch of a bucket may be short.
 *
 * `batch(epoch, i)` is a function of the seed and its arguments alone and holds no list, so that a resumed run goes
 * on anywhere.
 */
export interface BatchOrder {
  readonly batchesPerEpoch: number;
  batch(epoch: number, index: number): BatchPlan;
}

export function batchOrder(split: Bucketed, batchSize: number, seed: number): BatchOrder {
  const starts = batchStarts(split, batchSize);
  const batchesPerEpoch = starts.at(-1) as number;
  let permutations = permutationsOf(split, batchesPerEpoch, seed, 0);
  return {
    batchesPerEpoch,
    batch(epoch, index) {
      if (!(index >= 0 && index < batchesPerEpoch)) {
        throw new Error(`batch ${index} is not below ${batchesPerEpoch}`);
      }
      if (permutations.epoch !== epoch) permutations = permutationsOf(split, batchesPerEpoch, seed, epoch);
      const place = permutations.batches.at(index);
      const { bucket, first, count } = locate(split, starts, batchSize, place);
      const order = permutations.samples[bucket] as Permutation;
      return { bucket, indices: Uint32Array.from({ length: count }, (_, row) => order.at(first + row)) };
    },
  };
}

/** Every sample once, bucket by bucket in the order of the files: for labelling and evaluation. */
export function* sequentialBatches(split: Bucketed, batchSize: number): Generator<BatchPlan> {
  const starts = batchStarts(split, batchSize);
  for (let place = 0; place < (starts.at(-1) as number); place++) {
    const { bucket, first, count } = locate(split, starts, batchSize, place);
    yield { bucket, indices: Uint32Array.from({ length: count }, (_, row) => first + row) };
  }
}

interface EpochPermutations {
  epoch: number;
  batches: Permutation;
  samples: Permutation[];
}

function permutationsOf(split: Bucketed, batches: number, seed: number, epoch: number): EpochPermutations {
  return {
    epoch,
    batches: new Permutation(batches, seed, 'batches', epoch),
    samples: split.buckets.map(({ size }, bucket) => new Permutation(size, seed, 'samples', epoch, bucket)),
  };
}

/** The number of batches before each bucket, and in all buckets at the end. */
function batchStarts(split: Bucketed, batchSize: number): number[] {
  if (!(Number.isInteger(batchSize) && batchSize > 0)) throw new Error(`batch size ${batchSize}`);
  const starts = [0];
  for (const { size } of split.buckets) starts.push((starts.at(-1) as number) + Math.ceil(size / batchSize));
  return starts;
}

function locate(split: Bucketed, starts: number[], batchSize: number, place: number) {
  let bucket = split.buckets.length - 1;
  while ((starts[bucket] as number) > place) bucket--;
  const first = (place - (starts[bucket] as number)) * batchSize;
  const size = (split.buckets[bucket] as { size: number }).size;
  return { bucket, first, count: Math.min(batchSize, size - first) };
}
