import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { writeResult } from '../json-result.ts';
import { addRecipeOptions, type RecipeOptions, runRecipe } from '../run-options.ts';

export function continualCommand(cli: Cli): Command {
  return addRecipeOptions(new Command('continual'))
    .summary('teach a student task after task, and measure what it forgets')
    .description(
      "Trains the recipe's student on a sequence of tasks (continual.tasks) by several methods: fine-tuning, distillation from its own past, elastic weight consolidation, replay, all of them. Reports accuracy, forgetting and backward transfer after each task. The same command on the same folder goes on with a run that was cut off.",
    )
    .argument('<recipe>', 'the recipe (YAML), with a section continual')
    .addHelpText(
      'after',
      `
Examples:
  limbeck continual recipes/fashion-continual.yaml
  limbeck continual recipe.yaml --set continual.setting=task-incremental --out runs/told
  limbeck continual recipe.yaml --set 'continual.methods=[naive, all]' --seed 2`,
    )
    .action(async (file: string, options: RecipeOptions) => {
      const { value: result, out } = await runRecipe(cli, file, options, (api, recipe, runOptions) =>
        api.continual(recipe, runOptions),
      );
      const { continualSummary } = await import('../continual-summary.ts');
      if (options.json) writeResult(cli, result);
      else cli.terminal.out(continualSummary(result, out, cli.workingFolder));
    });
}
