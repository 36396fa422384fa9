import type { RunResult, TrainResult } from '../../report/result.ts';
import type { Section } from '../../report/targets/section.ts';

/** What the test split said of every file: those that ship, and those that they are compared with. */
export interface Evaluations
  extends Required<
      Pick<TrainResult, 'metrics' | 'student' | 'studentInt8' | 'gate' | 'testSamples' | 'shippedCheck'>
    >,
    Pick<TrainResult, 'chance' | 'references' | 'compression' | 'exits' | 'further' | 'runtimeGates'>,
    Partial<Pick<RunResult, 'teacher' | 'teachers' | 'hostedTeacher' | 'overTeacher' | 'retentionInterval'>> {
  readonly baselines: NonNullable<RunResult['baselines']>;
  /** What the report shows of each output, by its name. */
  readonly sections: ReadonlyMap<string, Section>;
}
