import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { finishGated } from '../gate.ts';
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
      const { value: result, out } = await runRecipe(cli, file, options, (api, recipe, runOptions) =>
        api.train(recipe, runOptions),
      );
      const { runSummary } = await import('../result-summary.ts');
      await finishGated(cli, options.json, result, runSummary(result, out, cli.workingFolder));
    });
}
