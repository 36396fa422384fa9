import { Command } from 'commander';
import { checkSummary } from '../check-summary.ts';
import type { Cli } from '../cli.ts';
import { writeResult } from '../json-result.ts';
import { addRecipeOptions, type RecipeOptions, runRecipe } from '../run-options.ts';

export function checkCommand(cli: Cli): Command {
  return addRecipeOptions(new Command('check'))
    .summary('say what the data are, before anything is trained')
    .description(
      'Reads the data as a run would, and shows rows, classes and lengths, what is wrong with them, and the first samples as models see them. Asks no teacher and trains nothing.',
    )
    .argument('<recipe>', 'the recipe (YAML)')
    .addHelpText(
      'after',
      `
Examples:
  limbeck check recipes/glosses.yaml
  limbeck check mails.yaml --set data.maxLength=256
  limbeck check mails.yaml --json`,
    )
    .action(async (file: string, options: RecipeOptions) => {
      const { value } = await runRecipe(cli, file, options, (api, recipe, runOptions) =>
        api.check(recipe, runOptions),
      );
      if (options.json) writeResult(cli, value);
      else cli.terminal.out(checkSummary(value, cli.terminal.outColors));
    });
}
