import type { Difference } from '../../metrics/interval.ts';
import type { ComparisonResult } from '../../report/model-comparison.ts';
import type { BaselineResult, ModelResult, RunResult } from '../../report/result.ts';
import type { StudentAnswers } from '../../report/train-report.ts';

/** What the test split said of every file that ships. */
export interface Evaluations extends StudentEvaluation {
  readonly teacher: ModelResult;
  readonly overTeacher: Difference;
  readonly baselines: readonly BaselineResult[];
  readonly comparison: ComparisonResult;
}

/** What it said of the student's files alone. */
export interface StudentEvaluation
  extends Required<
    Pick<RunResult, 'student' | 'studentInt8' | 'gate' | 'testSamples' | 'chance' | 'shippedCheck'>
  > {}

/** What was measured of a student alone, and its answers. */
export interface MeasuredStudent extends StudentEvaluation {
  readonly answers: StudentAnswers;
}
