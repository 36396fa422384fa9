import type { Split } from '../../data/split.ts';
import type { LabelResult } from '../../knowledge/label.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import type { ObjectiveContext } from '../../objectives/objective.ts';
import type { Teacher } from '../../teachers/teacher.ts';

/** What the teacher said of every training sample: in the store, and how it got there. */
export interface Labels extends LabelResult {
  /** The answers of the main output. */
  readonly space: LabelSpace;
  /** The answers of every output, by its name. */
  readonly answers: ReadonlyMap<string, LabelSpace>;
}

/** All that a training needs of its teacher, by tap; every output is one. */
export interface TeacherAnswers extends Labels {
  /** Of the model that answered: not always the one that the teacher was made ready with (`teachingForm`). */
  readonly precision: 'f32' | 'int8';
  readonly spaces: ReadonlyMap<string, LabelSpace>;
  /** Samples that were added to the training set, with answers as the others have them. */
  readonly added: readonly Split[];
}

/** What a student learns from its teacher: the answers, and what the losses know of the two. */
export interface Lessons {
  readonly answers: TeacherAnswers;
  readonly context: ObjectiveContext;
  /** Opens the teacher for what is made during the training: its answers and inner values, by tap; the caller closes it. */
  judge(): Promise<Teacher>;
}
