import type { TokenBatch } from '../data/batch.ts';
import { batchOrder, sequentialBatches } from '../data/batch-order.ts';
import { dropTokens } from '../data/token-dropout.ts';
import type { TokenSplit } from '../data/token-split.ts';
import type { LabelSpace } from '../knowledge/label-space.ts';
import { elementCount, type Tensor, tensor } from '../onnx/tensor.ts';
import type { BatchSource } from '../train/training-loop.ts';

export interface TextBatchOptions {
  readonly split: TokenSplit;
  readonly batchSize: number;
  readonly seed: number;
  /** Part of the tokens that become the unknown token, anew in every epoch. */
  readonly tokenDropout?: { readonly fraction: number; readonly unkId: number };
  /** What the teacher said, by tap. */
  readonly knowledge?: ReadonlyMap<string, LabelSpace>;
}

/** A split's batches for training: tokens, labels and knowledge, in the order that the seed gives. */
export function textBatches(options: TextBatchOptions): BatchSource {
  const { split, batchSize, seed, tokenDropout, knowledge } = options;
  const order = batchOrder(split, batchSize, seed);
  return {
    batchesPerEpoch: order.batchesPerEpoch,
    batch(epoch, index) {
      const { bucket, indices } = order.batch(epoch, index);
      const whole = split.readBatch(bucket, indices, batchSize);
      const batch = tokenDropout ? dropTokens(whole, { ...tokenDropout, seed }, epoch, index) : whole;
      const feeds: Record<string, Tensor> = { ...tokenFeeds(batch), ...labelFeeds(batch) };
      for (const [tap, space] of knowledge ?? []) {
        feeds[`knowledge/${tap}`] = readKnowledge(space, batch.keys, batchSize);
      }
      return { variant: variantName(batch.length), feeds, rows: batch.filled };
    },
  };
}

/** The compiled steps that a split needs: one for each bucket. */
export function textVariants(
  split: TokenSplit,
  batchSize: number,
): Record<string, { batch: number; sequence: number }> {
  return Object.fromEntries(
    split.buckets.map(({ length }) => [variantName(length), { batch: batchSize, sequence: length }]),
  );
}

export function variantName(length: number): string {
  return `${length}`;
}

/** What a text model is fed: `input_ids` and `attention_mask`, int64 [batch, sequence]. */
export function tokenFeeds({ ids, mask, rows, length }: TokenBatch): Record<string, Tensor> {
  return {
    input_ids: tensor('int64', [rows, length], ids),
    attention_mask: tensor('int64', [rows, length], mask),
  };
}

/** `labels`, int32 [batch], and `row_weights`, float32 [batch]: 1 for samples, 0 for rows that only fill the batch. */
export function labelFeeds({
  labels,
  rows,
  filled,
}: Pick<TokenBatch, 'labels' | 'rows' | 'filled'>): Record<string, Tensor> {
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

/** A split's samples once, in order, in batches of `rows`. */
export function* splitBatches(split: TokenSplit, rows: number): Generator<TokenBatch> {
  for (const { bucket, indices } of sequentialBatches(split, rows))
    yield split.readBatch(bucket, indices, rows);
}
