import { mixSeed } from '../random.ts';
import { type BatchOrder, type Bucketed, batchOrder } from './batch-order.ts';

/** In what order the samples of a split are seen: `batchOrder`, or one that leaves some out for a while. */
export type OrderOf = (split: Bucketed, batchSize: number, seed: number) => BatchOrder;

/** Which samples are in during an epoch: their positions in each bucket; null for all. */
export type Admitted = (epoch: number) => readonly Uint32Array[] | null;

/**
 * The random order of the samples that are in. An epoch keeps the number of its batches, so those that are in are seen
 * several times in it, in another order each time; with all of them in it is the order of `batchOrder`.
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
      const some = { buckets: positions.map(({ length }) => ({ size: length })) };
      const pass = (number: number) => {
        passes[number] ??= batchOrder(some, batchSize, mixSeed(seed, 'curriculum', number));
        return passes[number];
      };
      const perPass = pass(0).batchesPerEpoch;
      const { bucket, indices } = pass(Math.floor(index / perPass)).batch(epoch, index % perPass);
      const own = positions[bucket] as Uint32Array;
      return { bucket, indices: indices.map((place) => own[place] as number) };
    },
  };
}
