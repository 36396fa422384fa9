import { Command } from 'commander';
import { type AnswersResult, isAnswersResult } from '../../report/answers-result.ts';
import type { TrainResult } from '../../report/result.ts';
import { answersSummary } from '../answers-summary.ts';
import type { Cli } from '../cli.ts';
import { finishGated } from '../gate.ts';
import { trainSummary } from '../result-summary.ts';
import { addRecipeOptions, type RecipeOptions, runRecipe } from '../run-options.ts';

export function trainCommand(cli: Cli): Command {
  return addRecipeOptions(new Command('train'))
    .summary('train a student on the labels alone, without a teacher')
    .description("Trains the recipe's student on its labels; a teacher in the recipe is not asked.")
    .argument('<recipe>', 'the recipe (YAML)')
    .addHelpText(
      'after',
      `
Examples:
  limbeck train recipe.yaml
  limbeck train recipe.yaml --set data.labelsPerClass=all --out runs/all-labels`,
    )
    .action(async (file: string, options: RecipeOptions) => {
      const { value: result, out } = await runRecipe(
        cli,
        file,
        options,
        (api, recipe, runOptions): Promise<TrainResult | AnswersResult> => api.train(recipe, runOptions),
      );
      const summary = isAnswersResult(result) ? answersSummary : trainSummary;
      finishGated(cli, options.json, result, summary(result as never, out, cli.workingFolder));
    });
}
