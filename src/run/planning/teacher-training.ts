import { estimateBytes } from '../../knowledge/estimate.ts';
import type { KnowledgeStore } from '../../knowledge/store.ts';
import { mkdirSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';
import type { TextDistillRecipe } from '../../recipe/schema.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';
import { CHECKPOINTS_KEPT } from '../../train/checkpoint.ts';
import { asTeacherReads } from '../context/as-teacher-reads.ts';
import type { TeacherTraining } from '../context/task.ts';
import { TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { WHOLE_CHECKPOINT_SECONDS } from '../teaching/fine-tune.ts';
import { encoderHash } from '../teaching/known-teachers.ts';
import { HEAD_CHECKPOINT_SECONDS, SHARES_SAMPLES } from '../teaching/train-head.ts';
import { batchCount, firstBatches, lengthOf, secondsForSamples } from './batch-counts.ts';
import { measureEvaluation } from './measure-evaluation.ts';
import { measureTeacher, type TeacherCost } from './measure-teacher.ts';
import { measureHeadTraining, measureWholeTraining } from './measure-teacher-training.ts';
import type { PlanningContext } from './planning-context.ts';
import { storedAnswers } from './stored-answers.ts';
import { evaluationCount, evaluationOf, trainingSeconds } from './training-seconds.ts';

/** A part of making a teacher ready. */
export interface TeacherPart {
  readonly seconds: number;
  readonly diskBytes: number;
  readonly note: string;
}

/** What training a teacher of texts costs. @param measured what it costs alone, or of one of several its place, by which it is measured */
export async function trainingParts(
  context: PlanningContext,
  store: KnowledgeStore,
  { recipe, source, reads }: TeacherTraining,
  measured: TeacherCost | number,
): Promise<TeacherPart[]> {
  const { teacherReads: _, ...data } = context.data;
  const own = { ...context, recipe, data: { ...data, ...(reads && { teacherReads: reads }) } };
  const cost = typeof measured === 'number' ? await measureMember(own, recipe, source, measured) : measured;
  const parts = [
    await embeddings(own, store, source, cost, recipe.teacher.head.classShares),
    await headTraining(own, recipe, source),
  ];
  if (recipe.teacher.train === 'all') parts.push(await wholeTraining(own, recipe, source, cost));
  return parts;
}

/** Times one of several teachers, in a folder of its own. */
function measureMember(
  context: PlanningContext,
  recipe: TextDistillRecipe,
  source: TextTeacherSource,
  place: number,
): Promise<TeacherCost> {
  const scratch = join(context.scratch, `member-${place}`);
  mkdirSync(scratch, { recursive: true });
  // It does not label: its int8 form is not made.
  const inFloat32 = { ...recipe, teacher: { ...recipe.teacher, precision: 'f32' } } as TextDistillRecipe;
  return measureTeacher({ ...context, scratch }, inFloat32, source);
}

/** The embeddings of the labelled and the validation texts, which the head is trained on, and of those that tell shares. */
async function embeddings(
  context: PlanningContext,
  store: KnowledgeStore,
  source: TextTeacherSource,
  { f32 }: TeacherCost,
  classShares: number,
): Promise<TeacherPart> {
  const { train, labelled, validation } = context.data.dataset.splits;
  const query = {
    teacher: encoderHash(source),
    tap: source.embeddingOutput as string,
    preprocessing: asTeacherReads(context.data).task.preprocessing,
  };
  let seconds = f32.openSeconds;
  let missing = 0;
  for (const split of [labelled, validation]) {
    const answers = await storedAnswers(store, split, query, context.checkInterrupted);
    seconds += secondsForSamples(answers.missingByBucket, TEACHER_BATCH, f32.batch);
    missing += answers.missing;
  }
  if (classShares > 0 && missing > 0) {
    const sample = firstBatches(train, TEACHER_BATCH, SHARES_SAMPLES);
    seconds += secondsForSamples(sample, TEACHER_BATCH, f32.batch);
    missing += Math.min(train.size, SHARES_SAMPLES);
  }
  const diskBytes = missing > 0 ? estimateBytes(missing, [source.embeddingWidth as number], 'float32') : 0;
  const note = missing > 0 ? `${missing} texts to embed` : 'its embeddings are in the store';
  return { seconds, diskBytes, note };
}

async function headTraining(
  context: PlanningContext,
  recipe: TextDistillRecipe,
  source: TextTeacherSource,
): Promise<TeacherPart> {
  const { epochs, batchSize } = recipe.teacher.head;
  const { labelled, validation } = context.data.dataset.splits;
  const cost = await measureHeadTraining(context, recipe, source);
  const step = cost.step.get('head') as number;
  // An evaluation reads a stored embedding for each text, as a step does, and has no backward pass.
  const evaluation = { seconds: (validation.size / batchSize) * step, prepareSeconds: cost.prepareSeconds };
  const seconds = trainingSeconds({
    split: labelled,
    batchSize,
    epochs,
    checkpointEverySeconds: HEAD_CHECKPOINT_SECONDS,
    step: new Map(labelled.buckets.map((bucket) => [lengthOf(bucket), step])),
    cost,
    evaluation,
    variants: 1,
  });
  const steps = epochs * batchCount(labelled, batchSize);
  return {
    seconds,
    diskBytes: CHECKPOINTS_KEPT * cost.checkpoint.bytes,
    note: `${steps} steps for its head`,
  };
}

async function wholeTraining(
  context: PlanningContext,
  recipe: TextDistillRecipe,
  source: TextTeacherSource,
  { model }: TeacherCost,
): Promise<TeacherPart> {
  const { epochs, batchSize } = recipe.teacher.whole;
  const { labelled, validation } = context.data.dataset.splits;
  const { cost, student } = await measureWholeTraining(context, recipe, { ...source, model });
  const evaluation = await measureEvaluation(context, student, batchSize);
  const perEpoch = batchCount(labelled, batchSize);
  const seconds = trainingSeconds({
    split: labelled,
    batchSize,
    epochs,
    checkpointEverySeconds: WHOLE_CHECKPOINT_SECONDS,
    step: new Map([...cost.step].map(([name, own]) => [Number(name), own])),
    cost,
    evaluation: evaluationOf(validation, evaluation),
  });
  const note = `${epochs * perEpoch} steps for all of it, with ${evaluationCount(perEpoch, epochs)} evaluations`;
  return { seconds, diskBytes: CHECKPOINTS_KEPT * cost.checkpoint.bytes, note };
}
