import type { Evaluation } from '../../metrics/metric.ts';
import type { Student } from '../../students/student.ts';

/** A student as training left it: the parameters of its best epoch. */
export interface TrainedStudent {
  readonly student: Student;
  /** Its metrics on the validation split. */
  readonly validation: Evaluation;
}
