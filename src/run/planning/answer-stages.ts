import type { Split } from '../../data/split.ts';
import { estimateBytes, estimateLengthBytes } from '../../knowledge/estimate.ts';
import type { KnowledgeStore } from '../../knowledge/store.ts';
import { hasLength } from '../../knowledge/true-length.ts';
import { type DistillRecipe, requireModelTeacher } from '../../recipe/schema.ts';
import { sizeInWords } from '../../size-in-bytes.ts';
import type { Head } from '../../targets/head.ts';
import { type Artifacts, artifact } from '../context/artifact.ts';
import { answerDims, encodingOf } from '../heads/answer-dims.ts';
import { TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { secondsForSamples } from './batch-counts.ts';
import { HOSTED_COST, type PlannedTeacher, TEACHER_COST, WRITTEN_COST } from './costs.ts';
import type { TeacherCost, TeacherFileCost } from './measure-teacher.ts';
import type { PlanningContext } from './planning-context.ts';
import type { Plan, StagePlan } from './stage-plan.ts';
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
  /** Disk of the answer to one sample, at most. */
  readonly diskBytesEach: number;
}

export interface SplitAnswers extends StoredAnswers {
  readonly seconds: number;
  readonly diskBytes: number;
  /** What lies between the parts of the teacher meanwhile, at most. */
  readonly betweenBytes: number;
}

export const ANSWER_COST = artifact<AnswerCost>('answer-cost');

/** Labelling: what the store lacks of the teacher's answers, and of what the losses ask of its layers. */
export async function planLabels(context: PlanningContext, costs: Artifacts): Promise<StagePlan> {
  const { recipe, store, data } = context;
  const hosted = costs.find(HOSTED_COST);
  if (hosted) return hosted.label;
  requireModelTeacher(recipe);
  const { cost, known, inner, memoryBytes } = costs.get(TEACHER_COST);
  const answers = await planAnswers(context, store, recipe, { cost, known });
  costs.set(ANSWER_COST, answers);
  const written = costs.find(WRITTEN_COST)?.texts ?? 0;
  if (written > 0) return planWithWritten(context, answers, { cost, written, memoryBytes });
  const { seconds, diskBytes } = answers.training;
  // One pass answers and is looked into; in which form, only the trained teacher can show.
  const ofInt8 = answers.precision === 'int8' && cost.int8 ? slowness(data, cost.int8, cost.f32) : 1;
  const twice = recipe.teacher.precision === 'int8';
  return {
    stage: 'label',
    seconds: Math.max(seconds, inner.seconds * ofInt8),
    secondsAtMost: twice ? seconds + inner.seconds : Math.max(answers.trainingSecondsAtMost, inner.seconds),
    memoryBytes: memoryBytes + data.heldBytes,
    diskBytes: diskBytes + inner.diskBytes + answers.training.betweenBytes,
    note:
      inner.missing > 0
        ? `${answers.note}; ${inner.missing} to look into its layers (${(inner.diskBytes / 1e6).toFixed(0)} MB)`
        : answers.note,
  };
}

/** Labelling where the teacher has written texts, too: these have no answer yet, and may be all that is asked about. */
function planWithWritten(
  { recipe, data }: PlanningContext,
  { training, precision, diskBytesEach }: AnswerCost,
  {
    cost,
    written,
    memoryBytes,
  }: { readonly cost: TeacherCost; readonly written: number; readonly memoryBytes: number },
): StagePlan {
  const isAlone = recipe.data.written?.alone === true;
  const { asked, task } = data;
  const each = secondsForSamples(asked, TEACHER_BATCH, cost.f32.batch) / Math.max(1, asked.size);
  const seconds = (isAlone ? 0 : training.seconds) + written * each;
  return {
    stage: 'label',
    seconds,
    secondsAtMost: seconds,
    memoryBytes: memoryBytes + data.heldBytes,
    diskBytes: (isAlone ? 0 : training.diskBytes) + written * diskBytesEach,
    note: `${isAlone ? '' : `${training.missing} ${task.unit} and `}${written} written ones to ask in ${precision}`,
  };
}

/** How long one of the teacher's files takes for the training samples, beside another. */
function slowness({ asked }: PlanningContext['data'], file: TeacherFileCost, other: TeacherFileCost): number {
  const [own, others] = [file, other].map(({ batch }) => secondsForSamples(asked, TEACHER_BATCH, batch));
  return (own as number) / Math.max(others as number, 1e-9);
}

/** What the store has of a run's answers, and what it lacks. */
export function storePart(answers: AnswerCost | undefined): Plan['store'] {
  if (!answers) return { present: 0, missing: 0, bytes: 0 };
  const { training, test } = answers;
  const spaces = new Map([training.space, test.space].flatMap((space) => (space ? [[space.id, space]] : [])));
  return {
    present: training.present + test.present,
    missing: training.missing + test.missing,
    bytes: [...spaces.values()].reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Looks up what the store has of the teacher's answers, and multiplies what it has not. */
async function planAnswers(
  context: PlanningContext,
  store: KnowledgeStore,
  recipe: DistillRecipe,
  { cost, known }: { readonly cost: TeacherCost; readonly known: PlannedTeacher | undefined },
): Promise<AnswerCost> {
  const { asked, dataset, task, heads } = context.data;
  const { test } = dataset.splits;
  const { precision, certain } =
    cost.int8 || known
      ? labellingPrecision(recipe, known, heads)
      : ({ precision: 'f32', certain: true } as const);
  const { unit } = task;
  const read = context.data.teacherReads?.preprocessing ?? task.preprocessing;
  const preprocessing = [read, ...heads.flatMap(({ kept }) => kept?.title ?? [])].join(', of answers ');
  const shapes = [...answerDims(context.data.buildStudent().graph, heads).values()];
  const encoding = encodingOf(heads);
  const { output } = heads[0] as Head;
  const labeller = precision === 'int8' && cost.int8 ? cost.int8 : cost.f32;
  const answers = async (split: Split, teacher: string | undefined, file: typeof labeller) => {
    const found = await storedAnswers(
      store,
      split,
      { teacher, tap: output, preprocessing, encoding, byLength: shapes.some(hasLength) },
      context.checkInterrupted,
    );
    return {
      ...found,
      seconds: file.openSeconds + secondsForSamples(found.missingByBucket, TEACHER_BATCH, file.batch),
      diskBytes: found.missing > 0 ? bytesOf(found.missing, found.missingLengths) : 0,
      betweenBytes: file.parts && found.missing > 0 ? file.parts.diskBytes(found.missingByBucket) : 0,
    };
  };
  /** Answers to tokens are as long as their texts. */
  const bytesOf = (missing: number, lengths: ReadonlyMap<number, number>) =>
    shapes.reduce(
      (sum, dims) =>
        sum +
        (hasLength(dims)
          ? estimateLengthBytes(lengths, dims, encoding)
          : estimateBytes(missing, dims as number[], encoding)),
      0,
    );
  const training = await answers(asked, known?.hashes.labelling, labeller);
  const notes = [`${training.missing} ${unit} to ask in ${precision}`];
  if (labeller.parts && training.missing > 0)
    notes.push(
      `${labeller.parts.told}; up to ${sizeInWords(training.betweenBytes)} between them on the disk meanwhile`,
    );
  if (!known) notes.push('no run has made this teacher ready yet: all answers count as missing');
  else if (known.hashes.labelling === undefined)
    notes.push('its int8 form is not known before a run: all its answers count as missing');
  const inFloat32 =
    cost.f32.openSeconds + secondsForSamples(training.missingByBucket, TEACHER_BATCH, cost.f32.batch);
  if (!certain) notes.push(`${inFloat32.toFixed(0)} s in f32, should int8 not agree well enough`);
  return {
    training,
    test: await answers(test, known?.hashes.f32, cost.f32),
    precision,
    trainingSecondsAtMost: certain ? training.seconds : Math.max(inFloat32, training.seconds),
    note: notes.join('; '),
    // Of texts that are still to be written the length is not known.
    diskBytesEach: Math.ceil(bytesOf(1000, new Map([[recipe.data.maxLength, 1000]])) / 1000),
  };
}
