import type { LabelSpace } from '../knowledge/label-space.ts';
import { type Recipe, requireContinual, requireTeacher } from '../recipe/schema.ts';
import type { ContinualResult } from '../report/continual-result.ts';
import type { RunOptions } from './api.ts';
import { type ContinualRun, divideData } from './continual/continual-run.ts';
import { learn, type MethodMatrices } from './continual/learn.ts';
import { TaskMeasure } from './continual/measure-tasks.ts';
import { comparedMethods, remediesOf } from './continual/methods.ts';
import { finishedContinual, reportContinual } from './continual/report.ts';
import { shipBestStudent } from './continual/ship.ts';
import { openRun, type RunContext, runStage } from './run-context.ts';
import { dataStage } from './stages/data.ts';
import { labelWith } from './stages/label.ts';
import { teacherStage } from './stages/teacher.ts';
import { openTask } from './tasks/index.ts';
import type { TaskData } from './tasks/task.ts';

/**
 * Lifelong learning: trains the recipe's student on the tasks under `continual`, one after another, by each method that is
 * compared, and measures it on all tasks after each. Everything lands in the folder `options.out`: each method and task
 * has its checkpoints, so that a run that was cut off goes on and ends in the same bits.
 *
 * Only samples with labels are learnt from (a sample without one belongs to no task), as they are: neither
 * `data.augmentation` nor `training.tokenDropout` varies them.
 *
 * @throws LimbeckError `recipe.no-continual`, `recipe.no-teacher`, `recipe.invalid`, `data.empty-task`, `run.interrupted`
 * after `options.signal`, and what stages throw.
 *
 * @example
 * const { methods } = await continual(parseRecipe(text), { out: 'runs/fashion-continual' });
 * for (const { method, accuracy, forgetting } of methods) console.log(method, accuracy, forgetting);
 */
export async function continual(recipe: Recipe, options: RunOptions): Promise<ContinualResult> {
  requireContinual(recipe);
  const settings = recipe.continual;
  const methods = comparedMethods(settings, recipe.teacher !== undefined);
  const run = await openRun(recipe, options);
  try {
    const finished = finishedContinual(run.folder);
    if (finished) {
      const message = `this run is finished: ${run.folder.file('report.html')}`;
      run.emit({ type: 'log', level: 'info', message });
      return finished;
    }
    run.folder.acceptTeaching('tasks');
    const data = await dataStage(run, await openTask(run));
    try {
      warnOfUnused(run);
      const divided = divideData(data, settings);
      const asksTeacher = methods.some((method) =>
        remediesOf(method, recipe.teacher !== undefined).includes('teacher'),
      );
      const teacher = asksTeacher ? await askTeacher(run, data) : undefined;
      const student = data.buildStudent();
      const measure = new TaskMeasure(run, data, student, divided.samples);
      const of: ContinualRun = {
        run,
        data,
        options: settings,
        ...divided,
        student,
        measure,
        teacher,
        told: new Set(),
      };
      try {
        run.folder.resetMetrics('train');
        const measured: MethodMatrices[] = [];
        for (const method of methods) measured.push(await learn(of, method));
        const shipped = await shipBestStudent(of, measured);
        return await reportContinual(of, measured, shipped);
      } finally {
        await measure.close();
      }
    } finally {
      data.dataset.close();
    }
  } finally {
    await run.close();
  }
}

/** What the recipe's teacher says of the labelled samples. */
async function askTeacher(run: RunContext, data: TaskData): Promise<LabelSpace> {
  requireTeacher(run.recipe);
  const teacher = await teacherStage(run, data);
  const { unit } = data.task;
  return runStage(run, 'label', `Ask the teacher about the labelled ${unit}`, async () => {
    const { space, labelled, reused } = await labelWith(run, data.task, teacher, teacher.labellingFile, {
      stage: 'label',
      split: data.dataset.splits.labelled,
      task: 'labelling',
    });
    return {
      value: space,
      summary: `${labelled} ${unit} labelled, ${reused} answers were in the store`,
    };
  });
}

function warnOfUnused(run: RunContext): void {
  const { data, training } = run.recipe;
  if (data.augmentation) run.warn('samples are learnt as they are: data.augmentation is passed over');
  if (training.tokenDropout > 0)
    run.warn('samples are learnt as they are: training.tokenDropout is passed over');
}
