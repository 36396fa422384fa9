import type { DataType } from '../onnx/data-type.ts';
import type { Dim } from '../onnx/graph.ts';

/**
 * What a column is for: an `input` that a model reads, a `target` that is true of a sample, a `weight` that says how much
 * a row counts.
 */
export type ColumnRole = 'input' | 'target' | 'weight';

/** A named tensor of a batch. */
export interface ColumnSpec {
  /** As models and training steps name their inputs: `input_ids`, `pixel_values`, `labels`. */
  readonly name: string;
  readonly type: DataType;
  /** Per sample, without the batch; an axis that batches have in several sizes is named (`sequence`). */
  readonly shape: readonly Dim[];
  /** What fills a row that is no sample, and the places past a sample's end. */
  readonly pad: number;
  readonly role: ColumnRole;
}

/** int32 [batch]: the class of each row, from 0; -1 where it is unknown or hidden. */
export const LABELS = 'labels';
/** float32 [batch]: 1 for a sample, 0 for a row that only fills the batch. */
export const ROW_WEIGHTS = 'row_weights';
/** int64 [batch, sequence]. */
export const INPUT_IDS = 'input_ids';
/** int64 [batch, sequence]: 1 for a token, 0 for padding. */
export const ATTENTION_MASK = 'attention_mask';
/** int64 [batch, sequence]: 1 for tokens of the second text of a pair. */
export const TOKEN_TYPE_IDS = 'token_type_ids';
/** float32 [batch, channels, height, width]. */
export const PIXEL_VALUES = 'pixel_values';
/** float32 [batch, samples]: waveforms. */
export const INPUT_VALUES = 'input_values';
/** int64 [batch, the student's sequence, 4]: which of a teacher's tokens the answers about a student's belong to. */
export const ANSWER_PLACES = 'answer_places';
/** int64 [batch, the student's sequence]: where a teacher has other tokens, the mask of those that its answers are about. */
export const ANSWER_MASK = 'answer_mask';
/** Of such places the axis of the student's tokens, in a teacher's model. */
export const ANSWERED = 'answered';
/** The axis of tokens. */
export const SEQUENCE = 'sequence';

/** The column that says which rows have an input or an output. */
export function weightName(part: string): string {
  return `${ROW_WEIGHTS}/${part}`;
}
