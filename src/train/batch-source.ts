import type { Tensor } from '../onnx/tensor.ts';
import type { Student } from '../students/student.ts';

/** One batch: which compiled step takes it, and what that step is fed. */
export interface TrainingBatch {
  /** A key of `variants`. */
  readonly variant: string;
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** Samples in it. */
  readonly rows: number;
  /** Their positions in the split that is trained on, where controls follow samples. */
  readonly ordinals?: Uint32Array;
}

/** Which batch of a training is asked for. */
export interface BatchPlace {
  readonly epoch: number;
  /** In the epoch, from 0. */
  readonly index: number;
}

/** The student as it is when a batch is asked for. */
export interface LearningStudent {
  /** Its graph, with the weights that it began with. */
  readonly student: Student;
  /** Its parameters and running statistics by now; not copied, valid until the next step. */
  parameters(): ReadonlyMap<string, Float32Array>;
}

/**
 * Batches by number. They are a function of their place, so that a resumed run sees the same ones, and of the student
 * where it makes some of the data itself (what it answered to a prompt): of its weights alone then.
 */
export interface BatchSource {
  readonly batchesPerEpoch: number;
  /** Whether a batch may be asked for before the step in front of it is over: it depends on its place alone (false). */
  readonly ahead?: boolean;
  batch(place: BatchPlace, student: LearningStudent): Promise<TrainingBatch> | TrainingBatch;
  /** Where the student makes batches: those that it does not, for what always looks at the same one. */
  readonly plain?: BatchSource;
}

/** A source that looks at nothing but places, and has its batches at once. */
export interface PlainBatchSource extends BatchSource {
  batch(place: BatchPlace): TrainingBatch;
}
