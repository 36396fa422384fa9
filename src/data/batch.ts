import type { Tensor } from '../onnx/tensor.ts';
import { LABELS } from './columns.ts';

/** The length of a sample key: the first 16 bytes of a SHA-256 over the sample's content. */
export const SAMPLE_KEY_BYTES = 16;

/**
 * Samples as models and training steps read them: named tensors of `rows` rows each. A short batch is filled up with rows
 * that are no samples and says so by `filled`; their `row_weights` are 0.
 */
export interface Batch {
  /** B, the compiled batch size. */
  readonly rows: number;
  /** How many rows are real samples. */
  readonly filled: number;
  /** The samples' keys, SAMPLE_KEY_BYTES each, `filled` of them. */
  readonly keys: Uint8Array;
  /** Positions of the samples in their split, for looking up what they are; `filled` of them are meaningful. */
  readonly ordinals: Uint32Array;
  /** What a model is compiled for to read it: `{ batch: 128, sequence: 32 }`. */
  readonly sizes: Readonly<Record<string, number>>;
  /** By the names of inputs and targets, each [rows, ...]. */
  readonly columns: Readonly<Record<string, Tensor>>;
  /** As a teacher reads it whose tokens are others: where the student's tokens lie, which its answers are about. */
  readonly answered?: TokenSpans | undefined;
}

/** Where the tokens of each row of a batch lie, without the padding on either side. */
export interface TokenSpans {
  /** T: the length that all rows are padded to. */
  readonly padded: number;
  /** The place of the first token of each row. */
  readonly starts: Uint32Array;
  /** Tokens of each row, one at least. */
  readonly lengths: Uint32Array;
}

/** A column's tensor. Throws where the batch has none: its split is one of another kind of samples. */
export function columnOf({ columns }: Pick<Batch, 'columns'>, name: string): Tensor {
  const column = columns[name];
  if (!column) throw new Error(`no column ${name} among ${Object.keys(columns).join(', ')}`);
  return column;
}

/** The classes of a batch's rows, int32 [rows]; -1 where there is none. */
export function labelsOf(batch: Pick<Batch, 'columns'>): Int32Array {
  return columnOf(batch, LABELS).data as Int32Array;
}

/** Numbers that are read of each sample: one for an axis that has one size, a name for the sizes that differ. */
export interface Variant {
  /** The sizes, `batch=128,sequence=32`; one compiled session or step for each. */
  readonly name: string;
  readonly sizes: Readonly<Record<string, number>>;
}

/** What a model is compiled for to read batches of these sizes. */
export function variantOf({ sizes }: Pick<Batch, 'sizes'>): Variant {
  return { name: variantName(sizes), sizes };
}

/** Sizes as one word, by which sessions and steps are found. */
export function variantName(sizes: Readonly<Record<string, number>>): string {
  return Object.entries(sizes)
    .map(([size, value]) => `${size}=${value}`)
    .join(',');
}
