import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { finishGated } from '../gate.ts';
import { addRecipeOptions, type RecipeOptions, runRecipe } from '../run-options.ts';

export function distillCommand(cli: Cli): Command {
  return addRecipeOptions(new Command('distill'))
    .summary('teach a small student what a large teacher knows')
    .description(
      'Runs a recipe from its data to the exported student and its report. The same command on the same folder goes on with a run that was cut off.',
    )
    .argument('<recipe>', 'the recipe (YAML)')
    .option(
      '--no-baseline',
      'leave out what the student is compared with: itself from the labels alone, linear models',
    )
    .addHelpText(
      'after',
      `
Examples:
  limbeck distill recipes/glosses.yaml
  limbeck distill recipe.yaml --out runs/small --set student.width=96 --set training.epochs=4
  limbeck distill recipe.yaml --seed 2 --no-baseline --json > events.jsonl`,
    )
    .action(async (file: string, options: RecipeOptions) => {
      const { value: result, out } = await runRecipe(cli, file, options, (api, recipe, runOptions) =>
        api.distill(recipe, runOptions),
      );
      const { runSummary } = await import('../result-summary.ts');
      await finishGated(cli, options.json, result, runSummary(result, out, cli.workingFolder));
    });
}
