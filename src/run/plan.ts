import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { chooseHeldBuckets } from '../data/held-buckets.ts';
import { datasetFolder } from '../data/prepared-folder.ts';
import { recordLayout } from '../data/token-record.ts';
import { createNodeEngine } from '../engine/node.ts';
import { LimbeckError } from '../errors.ts';
import type { StageName } from '../events.ts';
import { KnowledgeStore } from '../knowledge/store.ts';
import { type Recipe, requireTextTeacher } from '../recipe/schema.ts';
import type { TextTeacherSource } from '../teachers/teacher-source.ts';
import type { Plan, RunOptions, StagePlan } from './api.ts';
import { type AnswerCost, planAnswers } from './planning/answer-stages.ts';
import { bucketsToMeasure } from './planning/batch-counts.ts';
import { type InnerKnowledge, measureInner } from './planning/measure-inner.ts';
import { measureStudent } from './planning/measure-student.ts';
import { measureTeacher } from './planning/measure-teacher.ts';
import { MemoryPeak } from './planning/memory-peak.ts';
import { type PlanningContext, withScratchFolder } from './planning/planning-context.ts';
import {
  evaluationSeconds,
  measureStudentFiles,
  planExport,
  planTraining,
} from './planning/student-stages.ts';
import { planTeacherStage } from './planning/teacher-stage.ts';
import { timed } from './planning/timing.ts';
import { dataCacheFolder, interrupted, isStop, storeFolder } from './run-context.ts';
import { prepareTextData } from './tasks/text-classification.ts';
import { recallTeacher, teacherKey } from './teaching/known-teachers.ts';
import { openRecipeTeacher, runTokenizer } from './teaching/open-teacher.ts';

/**
 * Says what a run will cost, before it runs: prepares the data (the run finds it prepared), times a few batches of
 * everything that a run does many times, and multiplies. A recipe without a teacher is planned for `train`.
 *
 * Seconds are wall time on this machine as busy as it is now; trainings are counted with all their epochs. Memory is
 * the resident set of the process while the stage's work was measured, plus what the stage reads into memory of the
 * data. Disk is what the stage adds. Nothing is written into the run's folder, and the store is only looked at.
 *
 * @throws LimbeckError `recipe.task` for a recipe of images; of the data, the teacher and the engine; `run.interrupted` after `options.signal`.
 */
export async function plan(recipe: Recipe, options: RunOptions): Promise<Plan> {
  const checkInterrupted = () => {
    if (options.signal?.aborted) throw interrupted();
  };
  requireTexts(recipe);
  checkInterrupted();
  try {
    return await withScratchFolder(async (scratch) => {
      const source = await openSource(recipe, options);
      const tokenizer = source?.tokenizer ?? (await runTokenizer({ recipe, options }));
      const told = tell(options);
      const data = await told('data', 'Prepare the data', () => planData(recipe, options, tokenizer));
      const store = await KnowledgeStore.open(storeFolder(recipe, options));
      try {
        const engine = createNodeEngine({ provider: recipe.engine });
        const memory = new MemoryPeak();
        const { dataset } = data;
        const context: PlanningContext = {
          recipe,
          options,
          engine,
          dataset,
          tokenizer,
          source,
          scratch,
          memory,
          checkInterrupted,
        };
        return await planStages(context, store, { data: data.stage, told });
      } finally {
        data.dataset.close();
        await store.close();
      }
    });
  } catch (error) {
    // Whatever noticed it first, the person asked for it.
    throw isStop(error, options.signal) ? interrupted() : error;
  }
}

async function planStages(
  context: PlanningContext,
  store: KnowledgeStore,
  { data, told }: { readonly data: StagePlan; readonly told: Tell },
): Promise<Plan> {
  const { recipe, options, source, dataset, memory } = context;
  const stages: StagePlan[] = [data];
  let answers: AnswerCost | undefined;
  let labelMemory = 0;
  let inner: InnerKnowledge | undefined;
  if (source) {
    requireTextTeacher(recipe);
    const key = teacherKey(context, source, dataset, recipe.teacher);
    const known = recallTeacher(store.folder, key);
    const cost = await told('label', 'Time the teacher', () => measureTeacher(context, recipe, source));
    inner = await told('label', 'Time what the losses ask of its layers', () =>
      measureInner(context, source, cost.model, { store, hash: known?.hashes.f32 }),
    );
    labelMemory = memory.take();
    stages.push(
      await told('teacher', 'Time the training of its head', () =>
        planTeacherStage(context, store, recipe, source, cost),
      ),
    );
    answers = await planAnswers(context, store, recipe, source, { cost, known });
    const { seconds, diskBytes } = answers.training;
    stages.push({
      stage: 'label',
      seconds: seconds + inner.seconds,
      secondsAtMost: answers.trainingSecondsAtMost + inner.seconds,
      memoryBytes: labelMemory + heldBytes(context),
      diskBytes: diskBytes + inner.diskBytes,
      note:
        inner.missing > 0
          ? `${answers.note}; ${inner.missing} to look into its layers (${(inner.diskBytes / 1e6).toFixed(0)} MB)`
          : answers.note,
    });
  }

  const student = await told('train', 'Time the student', () => measureStudent(context, inner));
  const baseline = source !== undefined && options.baseline !== false;
  const training = {
    cost: student,
    memoryBytes: memory.take() + heldBytes(context),
    withTeacher: source !== undefined,
  };
  stages.push(planTraining(context, 'train', training));
  if (baseline) stages.push(planTraining(context, 'baseline', { ...training, withTeacher: false }));

  const files = await told('export', 'Time the export', () => measureStudentFiles(context, student));
  stages.push(planExport(context, { cost: student, files, baseline }));
  const students = 1 + (baseline ? 1 : 0) + (recipe.export.int8 ? 1 : 0);
  const evaluating =
    evaluationSeconds(context, { cost: student, students, teachers: source ? 1 : 0 }) +
    (answers?.test.seconds ?? 0);
  stages.push({
    stage: 'evaluate',
    seconds: evaluating,
    secondsAtMost: evaluating,
    memoryBytes: Math.max(labelMemory, memory.take()),
    diskBytes: answers?.test.diskBytes ?? 0,
    note: answers ? `${answers.test.missing} test texts to ask in f32` : '',
  });
  if (source) stages.push(reportStage(memory.take()));
  return { stages, store: storePart(answers), measuredOn: measuredOn(context) };
}

/** Not measured, since there is nothing to report yet: a page of text and drawings. */
function reportStage(memoryBytes: number): StagePlan {
  return {
    stage: 'report',
    seconds: 0,
    secondsAtMost: 0,
    memoryBytes,
    diskBytes: 0,
    note: 'not measured: a page, in a moment',
  };
}

/** What is timed are batches of texts, by their lengths. */
function requireTexts({ task }: Recipe): void {
  if (task === 'text-classification') return;
  throw new LimbeckError('recipe.task', `a run of the task ${task} cannot be planned yet`, {
    where: 'task',
    remedy:
      'Start it: it shows the time that is left, goes on after Ctrl+C, and tells what the store will take.',
  });
}

async function openSource(recipe: Recipe, options: RunOptions): Promise<TextTeacherSource | undefined> {
  if (!recipe.teacher) return undefined;
  requireTextTeacher(recipe);
  return openRecipeTeacher({ recipe, options });
}

/** Prepares the data; the run that follows only opens it, so that is what is timed. */
async function planData(recipe: Recipe, options: RunOptions, tokenizer: TextTeacherSource['tokenizer']) {
  const prepared = await timed(() => prepareTextData({ recipe, options }, tokenizer));
  const again = prepared.value.reused
    ? prepared
    : await timed(() => {
        prepared.value.close();
        return prepareTextData({ recipe, options }, tokenizer);
      });
  const dataset = again.value;
  const note = prepared.value.reused
    ? 'prepared earlier'
    : `prepared now, in ${prepared.seconds.toFixed(1)} s; the run finds it`;
  const folder = datasetFolder(dataCacheFolder(recipe, options), dataset.fingerprint);
  const stage: StagePlan = {
    stage: 'data',
    seconds: again.seconds,
    secondsAtMost: again.seconds,
    memoryBytes: process.memoryUsage.rss(),
    diskBytes: folderBytes(folder),
    note,
  };
  return { dataset, stage };
}

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** What a pass over the training samples reads into memory and keeps there; large buckets stay on disk. */
function heldBytes({ dataset, tokenizer }: Pick<PlanningContext, 'dataset' | 'tokenizer'>): number {
  const bytes = dataset.splits.train.buckets.map(
    ({ length, size }) => size * recordLayout(length, tokenizer.vocabularySize).bytes,
  );
  // The training split comes first, whatever else there is.
  const held = chooseHeldBuckets({ train: bytes, labelled: [], validation: [], test: [] }).train;
  return bytes.reduce((sum, size, bucket) => sum + (held[bucket] ? size : 0), 0);
}

function storePart(answers: AnswerCost | undefined): Plan['store'] {
  if (!answers) return { present: 0, missing: 0, bytes: 0 };
  const { training, test } = answers;
  const spaces = new Map([training.space, test.space].flatMap((space) => (space ? [[space.id, space]] : [])));
  return {
    present: training.present + test.present,
    missing: training.missing + test.missing,
    bytes: [...spaces.values()].reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function measuredOn({ recipe, dataset, engine }: PlanningContext): string {
  const { train } = dataset.splits;
  const lengths = bucketsToMeasure(train).map((bucket) => train.buckets[bucket]!.length);
  const cores = availableParallelism();
  return (
    `a few batches of ${recipe.training.batchSize} texts of ${lengths.join(', ')} tokens, ` +
    `${engine.title}, ${cores} ${cores === 1 ? 'core' : 'cores'}`
  );
}

type Tell = <T>(stage: StageName, title: string, body: () => Promise<T>) => Promise<T>;

/** Tells when a measurement begins and ends, as a run tells of its stages. */
function tell({ onEvent }: RunOptions): Tell {
  return async (stage, title, body) => {
    onEvent?.({ type: 'stage-start', stage, title });
    const { value, seconds } = await timed(body);
    onEvent?.({ type: 'stage-end', stage, seconds, summary: 'measured' });
    return value;
  };
}
