import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { writeResult } from '../json-result.ts';
import { addRecipeOptions, type RecipeOptions, runRecipe } from '../run-options.ts';

export function planCommand(cli: Cli): Command {
  return addRecipeOptions(new Command('plan'))
    .summary('say what a run will cost, before it runs')
    .description(
      "Measures a few batches and tells time, memory and disk by stage, and which of the teacher's answers are already in the store.",
    )
    .argument('<recipe>', 'the recipe (YAML)')
    .option('--no-baseline', 'plan for a run without the baseline and the linear models')
    .addHelpText(
      'after',
      `
Examples:
  limbeck plan recipes/glosses.yaml
  limbeck plan recipe.yaml --set student.width=384 --json`,
    )
    .action(async (file: string, options: RecipeOptions) => {
      const { value } = await runRecipe(cli, file, options, (api, recipe, runOptions) =>
        api.plan(recipe, runOptions),
      );
      const { planSummary } = await import('../result-summary.ts');
      if (options.json) writeResult(cli, value);
      else cli.terminal.out(planSummary(value));
    });
}
