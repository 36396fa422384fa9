import { type ChosenSamples, samplesByClasses } from '../../data/batches/chosen-samples.ts';
import { LimbeckError } from '../../errors.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import type { ContinualOptions } from '../../recipe/continual.ts';
import type { Student } from '../../students/student.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import type { TaskAccuracies, TaskMeasure } from './measure-tasks.ts';
import { type ClassTasks, classTasks } from './tasks.ts';

/** What a run remembers of its trainings: the accuracies after each, by METHOD/TASK. */
export interface ContinualFinding {
  readonly rows: Readonly<Record<string, TaskAccuracies>>;
}

/** What all methods of a continual run have at hand besides the teacher's answers. */
export interface DividedRun {
  readonly run: RunContext;
  readonly data: TaskData;
  readonly options: ContinualOptions;
  readonly tasks: ClassTasks;
  /** The samples of each task; those to train on have labels. */
  readonly samples: Readonly<Record<'train' | 'validation' | 'test', readonly ChosenSamples[]>>;
  /** The recipe's student with its first parameters, from which all methods begin. */
  readonly student: Student;
  readonly measure: TaskMeasure;
  /** The trainings whose lines are in metrics.jsonl by now: several methods may share one. */
  readonly told: Set<string>;
}

export interface ContinualRun extends DividedRun {
  /** What the teacher said of the training samples, where it is asked. */
  readonly teacher: LabelSpace | undefined;
}

/**
 * Divides the data into tasks.
 *
 * @throws LimbeckError `recipe.invalid` for tasks that the classes do not make, `data.empty-task`
 */
export function divideData(
  { dataset }: TaskData,
  options: ContinualOptions,
): Pick<DividedRun, 'tasks' | 'samples'> {
  const { labels, splits } = dataset;
  const tasks = classTasks(options.tasks, labels);
  const samples = {
    train: samplesByClasses(splits.labelled, tasks),
    validation: samplesByClasses(splits.validation, tasks),
    test: samplesByClasses(splits.test, tasks),
  };
  for (const [split, views] of Object.entries(samples)) {
    const empty = views.findIndex(({ size }) => size === 0);
    if (empty < 0) continue;
    const classes = tasks[empty].map((label) => labels[label]).join(', ');
    throw new LimbeckError('data.empty-task', `task ${empty + 1} (${classes}) has no ${split} samples`, {
      where: 'continual.tasks',
      remedy: 'Divide the classes otherwise, or take more data (data.splits, data.labelsPerClass).',
    });
  }
  return { tasks, samples };
}
