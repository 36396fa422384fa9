import { type Recipe, requireContinual } from '../recipe/schema.ts';
import type { ContinualResult } from '../report/continual-result.ts';
import { openRun } from './context/run-context.ts';
import type { RunOptions } from './context/run-options.ts';
import { comparedMethods } from './continual/methods.ts';
import { CONTINUAL_RESULT, finishedContinual } from './continual/report.ts';
import { continualStages } from './continual/stages.ts';
import { runStages } from './stages/runner.ts';

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
  const methods = comparedMethods(recipe.continual, recipe.teacher !== undefined);
  const run = await openRun(recipe, options);
  try {
    const finished = finishedContinual(run.folder);
    if (finished) {
      const message = `this run is finished: ${run.folder.file('report.html')}`;
      run.emit({ type: 'log', level: 'info', message });
      return finished;
    }
    if (recipe.teacher) run.store.requireWritable();
    run.folder.acceptTeaching('tasks');
    const stages = continualStages(methods, recipe.teacher !== undefined);
    const { result } = await runStages(run, stages, { result: CONTINUAL_RESULT });
    return result;
  } finally {
    await run.close();
  }
}
