import type { KnowledgeStore } from '../../knowledge/store.ts';
import type { Graph } from '../../onnx/graph.ts';
import { openModelFile } from '../../onnx/node-files.ts';
import { type DistillRecipe, isHosted, requireModelTeacher } from '../../recipe/schema.ts';
import { wantedPrecision } from '../../recipe/teacher-memory.ts';
import type { Head } from '../../targets/head.ts';
import { teacherHash } from '../../teachers/onnx-teacher.ts';
import type { TeacherSource } from '../../teachers/teacher-source.ts';
import type { Artifacts } from '../context/artifact.ts';
import { comparesAnswers } from '../heads/comparable-answers.ts';
import { isOneClass } from '../heads/head-metrics.ts';
import { isTaughtAlone } from '../heads/taught-truth.ts';
import { TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { knownSpeedup } from '../teaching/int8-speedup.ts';
import { AGREEMENT_SAMPLES } from '../teaching/int8-teacher.ts';
import { type KnownTeacher, recallTeacher } from '../teaching/known-teachers.ts';
import { firstBatches, secondsForSamples } from './batch-counts.ts';
import { checkingSeconds, measuringSeconds } from './checking-seconds.ts';
import { type PlannedTeacher, TEACHER_COST } from './costs.ts';
import { measureInner } from './measure-inner.ts';
import { measureTeacher, type TeacherCost, type TeacherFileCost } from './measure-teacher.ts';
import { isSeveral, membersTogether } from './members-costs.ts';
import type { PlanningContext } from './planning-context.ts';
import type { StagePlan } from './stage-plan.ts';
import { type TeacherPart, trainingParts } from './teacher-training.ts';

/** The precision in which the teacher will label, as far as it can be known. */
export function labellingPrecision(
  recipe: DistillRecipe,
  known: Pick<KnownTeacher, 'precision'> | undefined,
  heads: readonly Pick<Head, 'kept' | 'features'>[],
): { readonly precision: 'f32' | 'int8'; readonly certain: boolean } {
  if (known) return { precision: known.precision, certain: true };
  const precision = comparesAnswers(heads) ? wantedPrecision(recipe.teacher) : 'f32';
  // int8 has to agree with float32 first, which only the trained teacher can show; it mostly does.
  return precision === 'auto' ? { precision: 'int8', certain: false } : { precision, certain: true };
}

/**
 * Times the teacher, and what the losses ask of its layers; then plans what making it ready costs: embeddings, head, all of
 * it if the recipe says so, its int8 form.
 */
export async function planTeacher(context: PlanningContext, costs: Artifacts): Promise<StagePlan> {
  const { recipe, store, memory, told } = context;
  if (isHosted(recipe)) {
    // Loaded where it is used: pages do not pay for it.
    const { planHosted } = await import('./hosted-stage.ts');
    return planHosted(context, recipe, costs);
  }
  const source = context.source as TeacherSource;
  requireModelTeacher(recipe);
  const cost = await told('label', 'Time the teacher', () => measureTeacher(context, recipe, source));
  const known = knownTeacher(context, recipe, store, cost);
  const inner = await told('label', 'Time what the losses ask of its layers', () =>
    measureInner(context, source, modelToLookInto(cost), { store, hash: known?.hashes.f32 }),
  );
  costs.set(TEACHER_COST, { cost, known, inner, memoryBytes: memory.take() });
  return told('teacher', 'Time the training of its head', () =>
    planReadiness(context, store, recipe, source, cost),
  );
}

/** Of a teacher in parts the file that was written, whose weights they refer to. */
function modelToLookInto({ f32, model }: TeacherCost): Graph {
  return f32.parts ? openModelFile(f32.file).graph : model;
}

/** What is known of the teacher that a run makes ready: told by an earlier run, or plain where it is not trained. */
function knownTeacher(
  context: PlanningContext,
  recipe: DistillRecipe,
  store: KnowledgeStore,
  { f32, int8 }: TeacherCost,
): PlannedTeacher | undefined {
  const { teacher } = recipe;
  const { data } = context;
  if (data.knownAs) return recallTeacher(store.folder, data.knownAs(context));
  // What will label is what was measured, where int8 needs no layer in float32 to agree: it mostly does not.
  const hash = teacherHash(f32.file);
  const isInt8 = int8 !== null && (teacher.precision !== 'auto' || isFaster(context, store, { f32, int8 }));
  const ofInt8 = int8?.isRuns ? teacherHash(int8.file) : undefined;
  const labelling = isInt8 ? ofInt8 : hash;
  return {
    title: data.teacherTitle,
    precision: isInt8 ? 'int8' : 'f32',
    agreement: null,
    hashes: { f32: hash, labelling },
  };
}

/** Whether int8 labels faster here: as an earlier run has found, or else by the plan's own times. */
function isFaster(
  { engine }: PlanningContext,
  store: KnowledgeStore,
  { f32, int8 }: { readonly f32: TeacherFileCost; readonly int8: TeacherFileCost },
): boolean {
  const known = knownSpeedup({ engine, store }, { file: f32.file, int8File: int8.file });
  if (known !== undefined) return known > 1;
  const sum = ({ batch }: TeacherFileCost) => [...batch.values()].reduce((seconds, own) => seconds + own, 0);
  return sum(int8) < sum(f32);
}

async function planReadiness(
  context: PlanningContext,
  store: KnowledgeStore,
  recipe: DistillRecipe,
  source: TeacherSource,
  cost: TeacherCost,
): Promise<StagePlan> {
  const parts: TeacherPart[] = [{ seconds: cost.f32.makeSeconds, diskBytes: cost.f32.bytes, note: '' }];
  const { trainings = [] } = context.data;
  for (const [i, training] of trainings.entries())
    parts.push(...(await trainingParts(context, store, training, isSeveral(recipe) ? i : cost)));
  if (isSeveral(recipe)) parts.push(membersTogether(context, recipe, cost));
  const { validation } = context.data.dataset.splits;
  if (isOneClass(context.data.heads)) {
    const seconds = checkingSeconds(validation, cost.f32, recipe.teacher.kind === 'use-lite');
    parts.push({ seconds, diskBytes: 0, note: '' });
  } else if (trainings.length === 0 && !context.data.heads.some(isTaughtAlone)) {
    parts.push({ seconds: measuringSeconds(validation, cost.f32), diskBytes: 0, note: '' });
  }
  if (cost.int8) parts.push(comparison(context, cost));
  const seconds = sum(parts.map((part) => part.seconds));
  return {
    stage: 'teacher',
    seconds,
    secondsAtMost: seconds,
    memoryBytes: context.memory.take(),
    diskBytes: sum(parts.map(({ diskBytes }) => diskBytes)),
    note: [...parts, ...(source.advice ?? []).map((note) => ({ note }))]
      .map(({ note }) => note)
      .filter((note) => note !== '')
      .join(', '),
  };
}

/** Calibrating the int8 teacher, and asking it what the other has said of a sample. */
function comparison({ data }: PlanningContext, { f32, int8 }: TeacherCost): TeacherPart {
  if (!int8) throw new Error('there is no int8 teacher to compare');
  const sample = firstBatches(data.dataset.splits.validation, TEACHER_BATCH, AGREEMENT_SAMPLES);
  // A classifier in float32 has been asked by then.
  const asked = (isOneClass(data.heads) ? [int8] : [f32, int8]).map(
    (file) => file.openSeconds + secondsForSamples(sample, TEACHER_BATCH, file.batch),
  );
  return {
    seconds: int8.makeSeconds + sum(asked),
    diskBytes: int8.bytes,
    note: 'int8 compared with float32',
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
