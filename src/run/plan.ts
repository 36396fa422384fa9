import { datasetFolder } from '../data/prepared-folder.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { StageName } from '../events.ts';
import { KnowledgeStore } from '../knowledge/store.ts';
import { weighedOptions } from '../objectives/index.ts';
import { availableThreads, residentBytes } from '../platform/machine.ts';
import { type DistillRecipe, type Recipe, requireTeacher } from '../recipe/schema.ts';
import { teacherHash } from '../teachers/onnx-teacher.ts';
import type { TextTeacherSource } from '../teachers/teacher-source.ts';
import type { Plan, RunOptions, StagePlan } from './api.ts';
import { type AnswerCost, planAnswers } from './planning/answer-stages.ts';
import { bucketsToMeasure } from './planning/batch-counts.ts';
import { folderBytes } from './planning/folder-bytes.ts';
import { type InnerKnowledge, measureInner } from './planning/measure-inner.ts';
import { measureStudent } from './planning/measure-student.ts';
import { measureTeacher, type TeacherCost } from './planning/measure-teacher.ts';
import { MemoryPeak } from './planning/memory-peak.ts';
import { planPeers } from './planning/peer-stage.ts';
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
import { openTask } from './tasks/index.ts';
import type { Task } from './tasks/task.ts';
import { type KnownTeacher, recallTeacher, teacherKey } from './teaching/known-teachers.ts';

/**
 * Says what a run will cost, before it runs: prepares the data (the run finds it prepared), times a few batches of
 * everything that a run does many times, and multiplies. A recipe without a teacher is planned for `train`.
 *
 * Seconds are wall time on this machine as busy as it is now; trainings are counted with all their epochs. Memory is
 * the resident set of the process while the stage's work was measured, plus what the stage reads into memory of the
 * data. Disk is what the stage adds. Nothing is written into the run's folder, and the store is only looked at.
 *
 * @throws LimbeckError of the data, the teacher and the engine; `run.interrupted` after `options.signal`.
 */
export async function plan(recipe: Recipe, options: RunOptions): Promise<Plan> {
  const checkInterrupted = () => {
    if (options.signal?.aborted) throw interrupted();
  };
  checkInterrupted();
  try {
    return await withScratchFolder(async (scratch) => {
      const task = await openTask({ recipe, options });
      const told = tell(options);
      const { data, stage } = await told('data', 'Prepare the data', () => planData(recipe, options, task));
      const store = await KnowledgeStore.open(storeFolder(recipe, options));
      try {
        const engine = createNodeEngine({ provider: recipe.engine });
        const memory = new MemoryPeak();
        const context: PlanningContext = {
          recipe,
          options,
          engine,
          data,
          source: task.teacher,
          scratch,
          memory,
          checkInterrupted,
        };
        return await planStages(context, store, { data: stage, told });
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
  const { recipe, options, source, memory } = context;
  const { heldBytes } = context.data;
  const { unit } = context.data.task;
  const stages: StagePlan[] = [data];
  let answers: AnswerCost | undefined;
  let labelMemory = 0;
  let inner: InnerKnowledge | undefined;
  if (source) {
    requireTeacher(recipe);
    const cost = await told('label', 'Time the teacher', () => measureTeacher(context, recipe, source));
    const known = knownTeacher(context, recipe, store, cost);
    inner = await told('label', 'Time what the losses ask of its layers', () =>
      measureInner(context, source, cost.model, { store, hash: known?.hashes.f32 }),
    );
    labelMemory = memory.take();
    stages.push(
      await told('teacher', 'Time the training of its head', () =>
        planTeacherStage(context, store, recipe, source, cost),
      ),
    );
    answers = await planAnswers(context, store, recipe, { cost, known });
    const { seconds, diskBytes } = answers.training;
    stages.push({
      stage: 'label',
      seconds: seconds + inner.seconds,
      secondsAtMost: answers.trainingSecondsAtMost + inner.seconds,
      memoryBytes: labelMemory + heldBytes,
      diskBytes: diskBytes + inner.diskBytes,
      note:
        inner.missing > 0
          ? `${answers.note}; ${inner.missing} to look into its layers (${(inner.diskBytes / 1e6).toFixed(0)} MB)`
          : answers.note,
    });
  }

  const baseline = source !== undefined && options.baseline !== false;
  const asksAssistant = weighedOptions(recipe.objective, 'kd').some(({ assistant }) => assistant > 0);
  const assists = source !== undefined && asksAssistant;
  if (baseline || assists) {
    stages.push(await told('peer', `Time ${context.data.peer.title}`, () => planPeers(context, baseline)));
  }
  const student = await told('train', 'Time the student', () => measureStudent(context, inner));
  const training = {
    cost: student,
    memoryBytes: memory.take() + heldBytes,
    withTeacher: source !== undefined,
  };
  stages.push(planTraining(context, 'train', training));
  if (baseline) {
    // Without what the losses ask for, a step is another one.
    const alone = await told('baseline', 'Time the student without a teacher', () =>
      measureStudent({ ...context, source: undefined }),
    );
    stages.push(planTraining(context, 'baseline', { ...training, cost: alone, withTeacher: false }));
  }

  const files = await told('export', 'Time the export', () => measureStudentFiles(context, student));
  stages.push(planExport(context, { cost: student, files, baseline }));
  // The peers are measured beside the baseline.
  const students = 1 + (baseline ? 3 : 0) + (recipe.export.int8 ? 1 : 0);
  const evaluating =
    evaluationSeconds(context, { cost: student, students, teachers: source ? 1 : 0 }) +
    (answers?.test.seconds ?? 0);
  stages.push({
    stage: 'evaluate',
    seconds: evaluating,
    secondsAtMost: evaluating,
    memoryBytes: Math.max(labelMemory, memory.take()),
    diskBytes: answers?.test.diskBytes ?? 0,
    note: answers ? `${answers.test.missing} test ${unit} to ask in f32` : '',
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

/** What is known of the teacher that a run makes ready: told by an earlier run, or plain where it is not trained. */
function knownTeacher(
  context: PlanningContext,
  recipe: DistillRecipe,
  store: KnowledgeStore,
  { f32, int8 }: TeacherCost,
): KnownTeacher | undefined {
  const { teacher } = recipe;
  const { data, source } = context;
  if (teacher.kind !== 'onnx-image') {
    const { dataset } = data;
    const key = teacherKey(context, source as TextTeacherSource, dataset, teacher);
    return recallTeacher(store.folder, key);
  }
  // What will label is what was measured, where int8 needs no layer in float32 to agree: it mostly does not.
  const hash = teacherHash(f32.file);
  const labelling = int8 ? teacherHash(int8.file) : hash;
  return {
    title: data.teacherTitle,
    precision: int8 ? 'int8' : 'f32',
    agreement: null,
    hashes: { f32: hash, labelling },
  };
}

/** Prepares the data; the run that follows only opens it, so that is what is timed. */
async function planData(recipe: Recipe, options: RunOptions, task: Task) {
  const prepared = await timed(() => task.prepareData({}));
  const { reused } = prepared.value.dataset;
  const again = reused
    ? prepared
    : await timed(() => {
        prepared.value.dataset.close();
        return task.prepareData({});
      });
  const data = again.value;
  const note = reused
    ? 'prepared earlier'
    : `prepared now, in ${prepared.seconds.toFixed(1)} s; the run finds it`;
  const folder = datasetFolder(dataCacheFolder(recipe, options), data.dataset.fingerprint);
  const stage: StagePlan = {
    stage: 'data',
    seconds: again.seconds,
    secondsAtMost: again.seconds,
    memoryBytes: residentBytes(),
    diskBytes: folderBytes(folder),
    note,
  };
  return { data, stage };
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

function measuredOn({ recipe, data, engine }: PlanningContext): string {
  const { asked, task } = data;
  const lengths = bucketsToMeasure(asked).flatMap((bucket) => asked.buckets[bucket]!.length ?? []);
  const cores = availableThreads();
  return (
    `a few batches of ${recipe.training.batchSize} ${task.unit}${lengths.length > 0 ? ` of ${lengths.join(', ')} tokens` : ''}, ` +
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
