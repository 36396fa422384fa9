import type { Recipe } from '../recipe/schema.ts';
import type { RunOptions, TrainResult } from './api.ts';
import { openRun } from './run-context.ts';
import { dataStage } from './stages/data.ts';
import { evaluateStudent } from './stages/evaluate.ts';
import { exportStage } from './stages/export.ts';
import { trainReportStage } from './stages/report.ts';
import { train as trainStudent } from './stages/train.ts';
import { openTask } from './tasks/index.ts';

/**
 * Trains the recipe's student on its labels alone, with the same machinery as `distill`: the run goes on after an
 * interruption, and ends in the same bits. A teacher in the recipe lends its tokenizer and nothing else.
 * Writes the student's folder, `result.json` and `report.html`.
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
      return await trainReportStage(run, data, measured);
    } finally {
      data.dataset.close();
    }
  } finally {
    await run.close();
  }
}
