import { type Batch, variantName } from '../../data/batch.ts';
import { sequentialBatches } from '../../data/batches/batch-order.ts';
import { tokenSpans } from '../../data/modalities/text/tokenizer/token-spans.ts';
import type { Split } from '../../data/split.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { dimsAt, hasLength } from '../../knowledge/true-length.ts';
import { elementCount, type Tensor, tensor } from '../../onnx/tensor.ts';
import type { TrainingBatch } from '../../train/batch-source.ts';
import { weighingAnswers } from './unanswered.ts';

/** The stored answers about a batch's samples, float32 [rows, ...dims]; zeros for rows that are none, and for padding. */
export function readKnowledge(space: LabelSpace, batch: Batch): Tensor {
  const { keys, rows } = batch;
  const spans = hasLength(space.info.dims) ? tokenSpans(batch) : undefined;
  const dims = dimsAt(space.info.dims, spans?.padded ?? 0);
  const data = new Float32Array(rows * elementCount(dims));
  space.read(keys, data, spans);
  return tensor('float32', [rows, ...dims], data);
}

/** What a training step reads of a batch: its columns, and `knowledge/TAP` for every tap. */
export function trainingBatch(batch: Batch, knowledge?: ReadonlyMap<string, LabelSpace>): TrainingBatch {
  return {
    variant: variantName(batch.sizes),
    feeds: weighingAnswers({ ...batch.columns, ...knowledgeFeeds(knowledge, batch) }, batch.filled),
    rows: batch.filled,
    ordinals: batch.ordinals,
  };
}

/** `knowledge/TAP` for every tap: what the teacher said of the batch. */
export function knowledgeFeeds(
  knowledge: ReadonlyMap<string, LabelSpace> | undefined,
  batch: Batch,
): Record<string, Tensor> {
  return Object.fromEntries(
    [...(knowledge ?? [])].map(([tap, space]) => [`knowledge/${tap}`, readKnowledge(space, batch)]),
  );
}

/**
 * A split's samples once, in order, in batches of at most `rows`. None is filled up: a large model would be asked about rows
 * that are none.
 */
export function* splitBatches(split: Split, rows: number): Generator<Batch> {
  for (const { bucket, indices } of sequentialBatches(split, rows))
    yield split.readBatch(bucket, indices, indices.length);
}

/** The same, each filled up with empty rows to `rows`: for a graph that is compiled for so many. */
export function* filledBatches(split: Split, rows: number): Generator<Batch> {
  for (const { bucket, indices } of sequentialBatches(split, rows))
    yield split.readBatch(bucket, indices, rows);
}

/** The samples of one bucket of a split, in order, in batches of at most `rows`. */
export function* bucketBatches(split: Split, bucket: number, rows: number): Generator<Batch> {
  const { size } = split.buckets[bucket] as { size: number };
  for (let from = 0; from < size; from += rows) {
    const indices = Uint32Array.from({ length: Math.min(rows, size - from) }, (_, i) => from + i);
    yield split.readBatch(bucket, indices, indices.length);
  }
}

/** Some samples of a bucket, by their positions in it, in batches of at most `rows`. */
export function* chosenBatches(
  split: Split,
  bucket: number,
  chosen: readonly number[],
  rows: number,
): Generator<Batch> {
  for (let from = 0; from < chosen.length; from += rows) {
    const indices = chosen.slice(from, from + rows);
    yield split.readBatch(bucket, indices, indices.length);
  }
}

/** About `most` samples from all over a split, of every bucket as many as it has of all; always the same ones. */
export function sampledRows(split: Split, most: number): { batches(rows: number): Generator<Batch> } {
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
