import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { writeResult } from '../json-result.ts';
import { addRecipeOptions, type RecipeOptions, runRecipe } from '../run-options.ts';

export function labelCommand(cli: Cli): Command {
  return addRecipeOptions(new Command('label'))
    .summary("put the teacher's answers into the knowledge store")
    .description(
      'Asks the teacher about every training text that the store has no answer for, and keeps the answers. `distill` does this by itself; on its own it prepares a store for several students.',
    )
    .argument('<recipe>', 'the recipe (YAML)')
    .addHelpText(
      'after',
      `
Examples:
  limbeck label recipe.yaml
  limbeck label recipe.yaml --store /data/knowledge --set teacher.precision=f32`,
    )
    .action(async (file: string, options: RecipeOptions) => {
      const { value } = await runRecipe(cli, file, options, (api, recipe, runOptions) =>
        api.label(recipe, runOptions),
      );
      const { labelSummary } = await import('../result-summary.ts');
      if (options.json) writeResult(cli, value);
      else cli.terminal.out(labelSummary(value));
    });
}
