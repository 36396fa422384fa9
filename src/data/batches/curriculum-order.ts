import { mixSeed } from '../../random.ts';
import { type BatchOrder, type Bucketed, batchOrder } from './batch-order.ts';

/** In what order the samples of a split are seen: `batchOrder`, or one that leaves some out for a while. */
export type OrderOf = (split: Bucketed, batchSize: number, seed: number) => BatchOrder;

/** Which samples are in during an epoch: their positions in each bucket; null for all. */
export type Admitted = (epoch: number) => readonly Uint32Array[] | null;

/**
 * The random order of the samples that are in. An epoch keeps the number of its batches, so those that are in are seen
 * several times in it, in another order each time; with all of them in it is the order of `batchOrder`. Batches are full
 * where a bucket has enough samples; those that are left over are other ones each time.
 *
 * `batch(epoch, i)` is a function of the seed, its arguments and what `admitted` answers alone.
 */
export function curriculumOrder(
  split: Bucketed,
  batchSize: number,
  seed: number,
  admitted: Admitted,
): BatchOrder {
  const plain = batchOrder(split, batchSize, seed);
  let present: { readonly epoch: number; readonly positions: ReturnType<Admitted> } | undefined;
  let passes: BatchOrder[] = [];
  return {
    batchesPerEpoch: plain.batchesPerEpoch,
    batch(epoch, index) {
      if (present?.epoch !== epoch) {
        present = { epoch, positions: admitted(epoch) };
        passes = [];
      }
      const { positions } = present;
      if (!positions) return plain.batch(epoch, index);
      const some = { buckets: positions.map(({ length }) => ({ size: inFullBatches(length, batchSize) })) };
      const pass = (number: number) => {
        passes[number] ??= batchOrder(some, batchSize, mixSeed(seed, 'curriculum', number));
        return passes[number];
      };
      const perPass = pass(0).batchesPerEpoch;
      const number = Math.floor(index / perPass);
      const { bucket, indices } = pass(number).batch(epoch, index % perPass);
      const own = positions[bucket] as Uint32Array;
      const first = (mixSeed(seed, 'left over', epoch, number, bucket) >>> 0) % own.length;
      return { bucket, indices: indices.map((place) => own[(first + place) % own.length] as number) };
    },
  };
}

function inFullBatches(size: number, batchSize: number): number {
  return size < batchSize ? size : size - (size % batchSize);
}
