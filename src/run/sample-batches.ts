import type { Batch, SampleBatch } from '../data/batch.ts';
import { sequentialBatches } from '../data/batch-order.ts';
import type { Split } from '../data/split.ts';
import type { LabelSpace } from '../knowledge/label-space.ts';
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
  knowledge: ReadonlyMap<string, LabelSpace> | undefined,
  { keys, rows }: Pick<SampleBatch, 'keys' | 'rows'>,
): Record<string, Tensor> {
  return Object.fromEntries(
    [...(knowledge ?? [])].map(([tap, space]) => [`knowledge/${tap}`, readKnowledge(space, keys, rows)]),
  );
}

/** A split's samples once, in order, in batches of `rows`. */
export function* splitBatches<B extends Batch>(split: Split<B>, rows: number): Generator<B> {
  for (const { bucket, indices } of sequentialBatches(split, rows))
    yield split.readBatch(bucket, indices, rows);
}
