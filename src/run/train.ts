import type { Recipe } from '../recipe/schema.ts';
import type { TrainResult } from './api.ts';
import { openRun } from './context/run-context.ts';
import type { RunOptions } from './context/run-options.ts';
import { TRAIN } from './stages/index.ts';
import { RESULT } from './stages/report.ts';
import { runStages } from './stages/runner.ts';

/**
 * Trains the recipe's student on its labels alone, with the same machinery as `distill`: the run goes on after an
 * interruption, and ends in the same bits. A teacher in the recipe lends its tokenizer and nothing else.
 * Writes the student's folder, `result.json` and `report.html`.
 */
export async function train(recipe: Recipe, options: RunOptions): Promise<TrainResult> {
  const run = await openRun(recipe, options);
  try {
    run.folder.acceptTeaching('labels');
    return (await runStages(run, TRAIN, { result: RESULT })).result;
  } finally {
    await run.close();
  }
}
