import type { Batch } from '../data/batch.ts';
import type { SEQUENCE } from '../data/columns.ts';

/** What one tap of a teacher gives for each sample. */
export interface TeacherOutput {
  readonly type: 'float32';
  /**
   * The shape per sample, without the batch: `[26]` for logits over 26 classes; `sequence` stands for the length that a
   * batch is padded to.
   */
  readonly dims: readonly (number | typeof SEQUENCE)[];
}

/** Where knowledge comes from: an ONNX model, or a black box that answers like one. */
export interface Teacher {
  /** For people: `Universal Sentence Encoder lite + head`. */
  readonly title: string;
  /**
   * SHA-256, in hex, of what defines the answers: the model's bytes, or a black box's name, version and settings.
   * With `preprocessing` it is the key of what the knowledge store keeps: the same hash, the same answers.
   */
  readonly hash: string;
  /** What else changes the model's inputs: the tokenizer's hash, the maximum length, ... */
  readonly preprocessing: string;
  /** The taps that it has, by name. */
  readonly outputs: Readonly<Record<string, TeacherOutput>>;
  /** How many batches get more done when they are asked about at once; 1 when absent. */
  readonly batchesAtOnce?: number;
  /**
   * The taps' values for the `filled` rows of a batch: row-major [filled, ...dims].
   *
   * @throws LimbeckError `teacher.not-finite` for NaN or infinite values, naming sample and tap.
   */
  label(batch: Batch, taps: readonly string[]): Promise<Record<string, Float32Array>>;
  close(): Promise<void>;
}
