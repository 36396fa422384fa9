import { artifact } from '../context/artifact.ts';
import type { ReadyRuntime } from '../gates/require-runtimes.ts';
import type { KnownTeacher } from '../teaching/known-teachers.ts';
import type { ExitSeconds } from './exit-seconds.ts';
import type { InnerKnowledge } from './measure-inner.ts';
import type { StudentCost } from './measure-student.ts';
import type { TeacherCost } from './measure-teacher.ts';
import type { HostedPrice, Plan, StagePlan } from './stage-plan.ts';

/** What stages measure for those after them. */

/** The row of the stage that prepares the data, which a plan does before anything else. */
export const PREPARATION = artifact<StagePlan>('preparation');

/** The runtimes that the recipe bounds, each started once. */
export const RUNTIME_COST = artifact<readonly ReadyRuntime[]>('runtime-cost');

/** A teacher as a plan knows it. */
export type PlannedTeacher = Omit<KnownTeacher, 'hashes'> & {
  readonly hashes: {
    readonly f32: string;
    /** undefined of an int8 form whose ranges the plan has found on fewer samples than a run does. */
    readonly labelling: string | undefined;
  };
};

/** What the exits of the student take after its training; absent without exits. */
export const EXIT_COST = artifact<ExitSeconds>('exit-cost');

export interface MeasuredTeacher {
  readonly cost: TeacherCost;
  /** What an earlier run told of it. */
  readonly known: PlannedTeacher | undefined;
  /** What the losses ask of its layers. */
  readonly inner: InnerKnowledge;
  /** The most that the process held while the teacher answered. */
  readonly memoryBytes: number;
}
export const TEACHER_COST = artifact<MeasuredTeacher>('teacher-cost');

export interface MeasuredTraining {
  readonly cost: StudentCost;
  readonly memoryBytes: number;
}
export const STUDENT_COST = artifact<MeasuredTraining>('student-cost');

/** What a teacher that is asked somewhere else is going to cost. */
export interface HostedCost {
  readonly price: HostedPrice;
  readonly store: Plan['store'];
  /** Rows of the stages that ask. */
  readonly label: StagePlan;
  readonly test: { readonly seconds: number; readonly missing: number };
}
export const HOSTED_COST = artifact<HostedCost>('hosted-cost');

/** Texts that a teacher is going to write. */
export interface WrittenCost {
  readonly texts: number;
}
export const WRITTEN_COST = artifact<WrittenCost>('written-cost');
