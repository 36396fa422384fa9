import type { Recipe } from '../recipe/schema.ts';
import { replaceFile } from '../replace-file.ts';
import type { RunOptions, TrainResult } from './api.ts';
import { openRun } from './run-context.ts';
import { runFacts } from './run-facts.ts';
import { dataStage } from './stages/data.ts';
import { evaluateStudent } from './stages/evaluate.ts';
import { exportStage } from './stages/export.ts';
import { train as trainStudent } from './stages/train.ts';
import { openTask } from './tasks/index.ts';

/**
 * Trains the recipe's student on its labels alone, with the same machinery as `distill`: the run goes on after an
 * interruption, and ends in the same bits. A teacher in the recipe lends its tokenizer and nothing else.
 * Writes the student's folder and `result.json`.
 */
export async function train(recipe: Recipe, options: RunOptions): Promise<TrainResult> {
  const run = await openRun(recipe, options);
  try {
    run.folder.acceptTeaching('labels');
    const data = await dataStage(run, await openTask(run));
    try {
      const student = await trainStudent(run, data, {
        stage: 'train',
        title: 'Train on the labels',
        lessons: null,
      });
      const shipped = await exportStage(run, { data, student, baseline: null });
      const measured = await evaluateStudent(run, data, shipped);
      const result: TrainResult = {
        ...measured,
        ...runFacts(run, 'train'),
      };
      replaceFile(run.folder.file('result.json'), `${JSON.stringify(result, null, 2)}\n`, 'run');
      return result;
    } finally {
      data.dataset.close();
    }
  } finally {
    await run.close();
  }
}
