import type { Recipe } from '../recipe/schema.ts';
import type { AnswersResult } from '../report/answers-result.ts';
import type { TrainResult } from './api.ts';
import { openRun } from './context/run-context.ts';
import type { RunOptions } from './context/run-options.ts';
import { isClassifier } from './heads/recipe-heads.ts';
import { ANSWERS_RESULT } from './stages/answers-report.ts';
import { ANSWERS_TRAIN, TRAIN } from './stages/index.ts';
import { TRAIN_RESULT } from './stages/report.ts';
import { runStages } from './stages/runner.ts';

/**
 * Trains the recipe's student on its labels alone, with the same machinery as `distill`: the run goes on after an
 * interruption, and ends in the same bits. A teacher in the recipe lends its tokenizer and nothing else.
 * The result of a recipe whose main output is no single class is an `AnswersResult`.
 * Writes the student's folder, `result.json` and `report.html`.
 */
export async function train<Result extends TrainResult | AnswersResult = TrainResult>(
  recipe: Recipe,
  options: RunOptions,
): Promise<Result> {
  const run = await openRun(recipe, options);
  try {
    run.folder.acceptTeaching('labels');
    const { result } = isClassifier(recipe)
      ? await runStages(run, TRAIN, { result: TRAIN_RESULT })
      : await runStages(run, ANSWERS_TRAIN, { result: ANSWERS_RESULT });
    return result as Result;
  } finally {
    await run.close();
  }
}
