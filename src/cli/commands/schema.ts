import { Command } from 'commander';
import type { Cli } from '../cli.ts';

export function schemaCommand(cli: Cli): Command {
  return new Command('schema')
    .summary('print the JSON schema of recipes')
    .description('Prints the JSON schema of recipes: every key with its meaning, default and allowed values.')
    .addHelpText(
      'after',
      `
Example:
  limbeck schema > recipe.schema.json
and as the first line of a recipe, for editors:
  # yaml-language-server: $schema=recipe.schema.json`,
    )
    .action(async () => {
      const { recipeJsonSchema } = await import('../../recipe/schema.ts');
      cli.terminal.out(`${JSON.stringify(recipeJsonSchema(), null, 2)}\n`);
    });
}
