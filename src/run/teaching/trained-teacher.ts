import type { Evaluation } from '../../metrics/metric.ts';
import type { TeacherMember } from '../context/task.ts';
import type { TeacherCheck } from './check-teacher.ts';
import type { HostedTeacher } from './hosted-teacher.ts';

/** A teacher that is ready to label: files in the run's folder, or one that is asked somewhere else. */
export interface TrainedTeacher {
  /** For people, e.g. `Universal Sentence Encoder lite and a linear head`. */
  readonly title: string;
  /** The float32 model: the one that is compared with the student. Of a hosted teacher the address, which is no file. */
  readonly file: string;
  /** The model that labels: the same, or its int8 form. */
  readonly labellingFile: string;
  readonly precision: 'f32' | 'int8';
  /** Whether its file came quantised: then it labels as it came, and `precision` is f32. */
  readonly cameQuantized?: boolean;
  /** How often int8 decided as float32 did on the sample; null when int8 was not tried. */
  readonly agreement: number | null;
  /** Layers of the int8 teacher that stayed in float32, because with them in int8 it decided otherwise too often. */
  readonly floatLayers?: readonly string[];
  /** The share of the int8 teacher's multiplications that run in int8. */
  readonly int8Share?: number;
  /** How many times as fast as in float32 it labels in int8 on this machine, where that decided the precision. */
  readonly int8Speedup?: number;
  /** On the validation split; null for a teacher that was not trained here. */
  readonly validation: Evaluation | null;
  /** How it compares with chance on the labelled validation samples. */
  readonly check?: TeacherCheck;
  /** Where several teach: each of them. */
  readonly members?: readonly TeacherMember[];
  /** Their model with what each says alone as further outputs. */
  readonly membersFile?: string;
  /** Where the teacher is none that runs here. */
  readonly hosted?: HostedTeacher;
}
