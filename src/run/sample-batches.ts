import type { Batch, SampleBatch } from '../data/batch.ts';
import { sequentialBatches } from '../data/batch-order.ts';
import type { Split } from '../data/split.ts';
import type { LabelSpace } from '../knowledge/label-space.ts';
import type { TapSpaces } from '../knowledge/tap-spaces.ts';
import { elementCount, type Tensor, tensor } from '../onnx/tensor.ts';

/** `labels`, int32 [batch], and `row_weights`, float32 [batch]: 1 for samples, 0 for rows that only fill the batch. */
export function labelFeeds({
  labels,
  rows,
  filled,
}: Pick<SampleBatch, 'labels' | 'rows' | 'filled'>): Record<string, Tensor> {
  return {
    labels: tensor('int32', [rows], labels),
    row_weights: tensor('float32', [rows], new Float32Array(rows).fill(1, 0, filled)),
  };
}

/** The stored answers for `keys`, float32 [rows, ...dims]; zeros for the rows past the last key. */
export function readKnowledge(space: LabelSpace, keys: Uint8Array, rows: number): Tensor {
  const { dims } = space.info;
  const data = new Float32Array(rows * elementCount(dims));
  space.read(keys, data);
  return tensor('float32', [rows, ...dims], data);
}

/** `knowledge/TAP` for every tap: what the teacher said of the batch. */
export function knowledgeFeeds(
  knowledge: ReadonlyMap<string, TapSpaces> | undefined,
  batch: Pick<SampleBatch, 'keys' | 'rows'> & { readonly length?: number },
): Record<string, Tensor> {
  return Object.fromEntries(
    [...(knowledge ?? [])].map(([tap, spaces]) => [
      `knowledge/${tap}`,
      readKnowledge(spaces.at(batch), batch.keys, batch.rows),
    ]),
  );
}

/** A split's samples once, in order, in batches of `rows`. */
export function* splitBatches<B extends Batch>(split: Split<B>, rows: number): Generator<B> {
  for (const { bucket, indices } of sequentialBatches(split, rows))
    yield split.readBatch(bucket, indices, rows);
}

/** The samples of one bucket of a split, in order, in batches of `rows`. */
export function* bucketBatches<B extends Batch>(split: Split<B>, bucket: number, rows: number): Generator<B> {
  const { size } = split.buckets[bucket] as { size: number };
  for (let from = 0; from < size; from += rows) {
    const indices = Uint32Array.from({ length: Math.min(rows, size - from) }, (_, i) => from + i);
    yield split.readBatch(bucket, indices, rows);
  }
}

/** Some samples of a bucket, by their positions in it, in batches of `rows`. */
export function* chosenBatches<B extends Batch>(
  split: Split<B>,
  bucket: number,
  chosen: readonly number[],
  rows: number,
): Generator<B> {
  for (let from = 0; from < chosen.length; from += rows)
    yield split.readBatch(bucket, chosen.slice(from, from + rows), rows);
}

/** About `most` samples from all over a split, of every bucket as many as it has of all; always the same ones. */
export function sampledRows<B extends Batch>(
  split: Split<B>,
  most: number,
): { batches(rows: number): Generator<B> } {
  return {
    *batches(rows) {
      for (const [bucket, { size }] of split.buckets.entries()) {
        const wanted = Math.min(size, Math.ceil((most * size) / Math.max(1, split.size)));
        const chosen = Array.from({ length: wanted }, (_, i) => Math.floor((i * size) / wanted));
        yield* chosenBatches(split, bucket, chosen, rows);
      }
    },
  };
}
