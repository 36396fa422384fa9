import type { Evaluation } from '../../metrics/metric.ts';
import type { Compression } from '../../report/compression.ts';
import type { Student } from '../../students/student.ts';

/** A student as training left it: the parameters of its best epoch. */
export interface TrainedStudent {
  readonly student: Student;
  /** Its metrics on the validation split. */
  readonly validation: Evaluation;
  /** What the recipe's transforms did, where it lists some. */
  readonly compression?: Compression;
  /** What it was before those that come after the training. */
  readonly uncompressed?: Student;
}
