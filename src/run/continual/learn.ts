import { samplesAt } from '../../data/batches/chosen-samples.ts';
import { taskLabelsTerm } from '../../objectives/task-labels.ts';
import { percent } from '../../percent.ts';
import type { ContinualMethod } from '../../recipe/continual.ts';
import { type ContinualMethodResult, methodResults } from '../../report/continual-result.ts';
import { type Artifact, artifact, optional } from '../context/artifact.ts';
import { type Stage, stage } from '../stages/stage.ts';
import { TASK_ANSWERS } from './ask-stage.ts';
import type { ContinualFinding, ContinualRun } from './continual-run.ts';
import { DIVIDED } from './divide-stage.ts';
import type { TaskAccuracies } from './measure-tasks.ts';
import { METHOD_TITLES, remediesOf } from './methods.ts';
import { Past } from './past.ts';
import { taskBatches } from './task-batches.ts';
import { answerGroups } from './tasks.ts';
import {
  learntParameters,
  type Parameters,
  type TaskTraining,
  tellMetrics,
  trainTask,
} from './train-task.ts';

/** What one method was measured at. */
export type MethodMatrices = Pick<ContinualMethodResult, 'matrix' | 'validation'> & {
  readonly method: ContinualMethod;
};

/** What a method came to. */
export function learntBy(method: ContinualMethod): Artifact<MethodMatrices> {
  return artifact(`learnt-by-${method}`);
}

/** Trains one method on its tasks, one after another, and measures it on all of them after each. */
export function learnStage(method: ContinualMethod): Stage {
  return stage({
    name: 'train',
    about: 'each method learns one task after another',
    needs: { divided: DIVIDED, teacher: optional(TASK_ANSWERS) },
    makes: learntBy(method),
    title: () => `Learn by ${method}: ${METHOD_TITLES[method]}`,
    async run(_, { divided, teacher }) {
      const of = { ...divided, teacher };
      const rows = method === 'joint' ? [await learnJointly(of)] : await learnInTurn(of, method);
      const value = {
        method,
        matrix: rows.map(({ test }) => [...test]),
        validation: rows.map(({ validation }) => [...validation]),
      };
      const [{ accuracy, forgetting }] = methodResults([value]);
      const lost = method === 'joint' ? '' : `, ${percent(forgetting)} forgotten`;
      return { value, summary: `${percent(accuracy)} over all tasks${lost}` };
    },
    plan: async () => undefined,
  });
}

async function learnInTurn(of: ContinualRun, method: ContinualMethod): Promise<TaskAccuracies[]> {
  const { run, tasks, options, samples } = of;
  const remedies = remediesOf(method, of.teacher !== undefined);
  const trainingOf = (task: number) => trainingFor(of, method, task);
  const isLast = (task: number) => task === tasks.length - 1;
  const isFinished = tasks.every((_, task) => known(of, trainingOf(task)));
  const past = new Past(of, method, remedies);
  const rows: TaskAccuracies[] = [];
  let parameters: Parameters | undefined;
  for (const task of tasks.keys()) {
    run.checkInterrupted();
    // With the task told, also those that are still to come can be answered.
    const answerable = options.setting === 'class-incremental' ? tasks.slice(0, task + 1) : tasks;
    const learnt = await learnTask(of, {
      ...trainingOf(task),
      title: `${method}, task ${task + 1} of ${tasks.length}`,
      start: parameters,
      lessons: () => past.lessons(task),
      validation: samples.validation[task],
      groups: answerGroups(options.setting, answerable),
      measured: answerable.length,
    });
    parameters = learnt.parameters;
    rows.push(learnt.accuracies);
    if (!isFinished && !isLast(task)) await past.remember(task, parameters);
  }
  return rows;
}

/** The training of one task. Before there is a past, all methods without a teacher do the same. */
function trainingFor(
  { teacher }: Pick<ContinualRun, 'teacher'>,
  method: ContinualMethod,
  task: number,
): Pick<TaskTraining, 'method' | 'task'> {
  const asksTeacher = remediesOf(method, teacher !== undefined).includes('teacher');
  return { method: task === 0 && !asksTeacher && method !== 'joint' ? 'first' : method, task };
}

/** The training that came last, of a method that was learnt: its checkpoint is the student. */
export function lastTraining(
  of: Pick<ContinualRun, 'teacher' | 'tasks'>,
  method: ContinualMethod,
): Pick<TaskTraining, 'method' | 'task'> {
  return trainingFor(of, method, method === 'joint' ? 0 : of.tasks.length - 1);
}

/** All tasks at once: what a student could reach that had nothing to forget. */
async function learnJointly(of: ContinualRun): Promise<TaskAccuracies> {
  const { run, data, tasks, options, samples } = of;
  const { dataset } = data;
  const { labelled, validation } = dataset.splits;
  const groups = answerGroups(options.setting, tasks);
  const everything = samplesAt(
    labelled,
    samples.train.flatMap((view) => [...view.places()]),
  );
  const { accuracies } = await learnTask(of, {
    method: 'joint',
    task: 0,
    title: 'joint, all tasks',
    start: undefined,
    lessons: () => ({
      terms: [taskLabelsTerm({ groups })],
      settings: {},
      training: taskBatches({
        split: labelled,
        samples: everything,
        classes: dataset.labels.length,
        batchSize: run.recipe.training.batchSize,
        epochs: options.epochs,
        task: 0,
        seed: run.recipe.seed,
      }),
    }),
    validation: samplesAt(
      validation,
      samples.validation.flatMap((view) => [...view.places()]),
    ),
    groups,
    measured: tasks.length,
  });
  return accuracies;
}

type Lesson = Omit<TaskTraining, 'terms' | 'settings' | 'training'> & {
  /** So many tasks can be answered afterwards, and are measured. */
  readonly measured: number;
  lessons(): Pick<TaskTraining, 'terms' | 'settings' | 'training'>;
};

/** Trains on one task and measures; or finds both done by an earlier part of the run. */
async function learnTask(
  of: ContinualRun,
  lesson: Lesson,
): Promise<{ parameters: Parameters; accuracies: TaskAccuracies }> {
  const { run, data, student, measure, told } = of;
  const name = trainingName(lesson);
  const before = known(of, lesson);
  const learnt = before && learntParameters(run, student, lesson);
  if (before && learnt) {
    if (!told.has(name)) for (const row of learnt.metrics) tellMetrics(run, lesson, row);
    told.add(name);
    return { parameters: learnt.parameters, accuracies: before };
  }
  const parameters = await trainTask(run, data, student, { ...lesson, ...lesson.lessons() });
  told.add(name);
  const accuracies = await measure.measure(parameters, lesson.groups, lesson.measured);
  const rows = run.folder.finding<ContinualFinding>('train')?.rows ?? {};
  run.folder.finish('train', { rows: { ...rows, [name]: accuracies } } satisfies ContinualFinding);
  return { parameters, accuracies };
}

function known({ run }: ContinualRun, training: Pick<TaskTraining, 'method' | 'task'>) {
  return run.folder.finding<ContinualFinding>('train')?.rows[trainingName(training)];
}

function trainingName({ method, task }: Pick<TaskTraining, 'method' | 'task'>): string {
  return `${method}/${task + 1}`;
}
