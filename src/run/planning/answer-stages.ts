import type { Split } from '../../data/split.ts';
import { estimateBytes } from '../../knowledge/estimate.ts';
import { LOGITS_ENCODING } from '../../knowledge/label-encoding.ts';
import type { KnowledgeStore } from '../../knowledge/store.ts';
import type { DistillRecipe } from '../../recipe/schema.ts';
import { LOGITS } from '../../teachers/teacher-source.ts';
import { TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import type { KnownTeacher } from '../teaching/known-teachers.ts';
import { secondsForSplit } from './batch-counts.ts';
import type { TeacherCost } from './measure-teacher.ts';
import type { PlanningContext } from './planning-context.ts';
import { type StoredAnswers, storedAnswers } from './stored-answers.ts';
import { labellingPrecision } from './teacher-stage.ts';

/** What asking the teacher about the training and the test split comes to. */
export interface AnswerCost {
  readonly training: SplitAnswers;
  readonly test: SplitAnswers;
  readonly precision: 'f32' | 'int8';
  /** Seconds for the training split in the slower precision that it may come to. */
  readonly trainingSecondsAtMost: number;
  /** For people: what the number of seconds supposes. */
  readonly note: string;
}

export interface SplitAnswers extends StoredAnswers {
  readonly seconds: number;
  readonly diskBytes: number;
}

/** Looks up what the store has of the teacher's answers, and multiplies what it has not. */
export async function planAnswers(
  context: PlanningContext,
  store: KnowledgeStore,
  recipe: DistillRecipe,
  { cost, known }: { readonly cost: TeacherCost; readonly known: KnownTeacher | undefined },
): Promise<AnswerCost> {
  const { asked, dataset, task } = context.data;
  const { test } = dataset.splits;
  const { precision, certain } = labellingPrecision(recipe, known);
  const { preprocessing, unit } = task;
  const dims = [dataset.labels.length];
  const labeller = precision === 'int8' && cost.int8 ? cost.int8 : cost.f32;
  const answers = async (split: Split, teacher: string | undefined, file: typeof labeller) => {
    const found = await storedAnswers(
      store,
      split,
      { teacher, tap: LOGITS, preprocessing, encoding: LOGITS_ENCODING },
      context.checkInterrupted,
    );
    return {
      ...found,
      seconds: file.openSeconds + secondsForSplit(found.missingByBucket, TEACHER_BATCH, file.batch),
      diskBytes: found.missing > 0 ? estimateBytes(found.missing, dims, LOGITS_ENCODING) : 0,
    };
  };
  const training = await answers(asked, known?.hashes.labelling, labeller);
  const notes = [`${training.missing} ${unit} to ask in ${precision}`];
  if (!known) notes.push('no run has made this teacher ready yet: all answers count as missing');
  const inFloat32 =
    cost.f32.openSeconds + secondsForSplit(training.missingByBucket, TEACHER_BATCH, cost.f32.batch);
  if (!certain) notes.push(`${inFloat32.toFixed(0)} s in f32, should int8 not agree well enough`);
  return {
    training,
    test: await answers(test, known?.hashes.f32, cost.f32),
    precision,
    trainingSecondsAtMost: certain ? training.seconds : Math.max(inFloat32, training.seconds),
    note: notes.join('; '),
  };
}
