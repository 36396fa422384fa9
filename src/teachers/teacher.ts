import type { Batch } from '../data/batch.ts';
import type { SEQUENCE } from '../data/columns.ts';
import type { PartedModel } from './parts/parted-model.ts';

/** What one tap of a teacher gives for each sample. */
export interface TeacherOutput {
  readonly type: 'float32';
  /**
   * The shape per sample, without the batch: `[26]` for logits over 26 classes; `sequence` stands for the length that a
   * batch is padded to.
   */
  readonly dims: readonly (number | typeof SEQUENCE)[];
  /** Whether `sequence` is that of the student's tokens, where the teacher reads others (`ANSWER_PLACES`). */
  readonly answered?: boolean;
}

/** How many batches are asked about by a teacher that runs in parts. */
export interface LabelAllOptions {
  /**
   * Whether what an interrupted call left is gone on with (false): its batches are then answered before the others, also those of
   * samples that `batches` does not have any more.
   */
  readonly resume?: boolean;
  /** Called before it is remembered that answers were given: whoever keeps them has to have kept them then. */
  readonly commit?: () => Promise<void>;
  /** How far it is, 0 to 1, at which part. */
  readonly onProgress?: (progress: {
    readonly part: number;
    readonly parts: number;
    readonly done: number;
  }) => void;
  readonly tell?: (message: string) => void;
  /** Called before each batch; what it throws ends the asking. */
  readonly checkInterrupted?: () => void;
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
  /** The parts of a model that is larger than the memory that it may take. */
  readonly parts?: PartedModel;
  /**
   * Of a teacher that runs in parts: the same for many batches, each part over all of them before the next one is loaded
   * (`askAll` asks any teacher).
   */
  labelAll?(
    batches: Iterable<Batch> | AsyncIterable<Batch>,
    taps: readonly string[],
    how?: LabelAllOptions,
  ): AsyncIterable<readonly [Batch, Record<string, Float32Array>]>;
  close(): Promise<void>;
}
