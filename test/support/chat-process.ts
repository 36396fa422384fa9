import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseRecipe } from '../../src/recipe/parse.ts';
import { label } from '../../src/run/label.ts';

// The labelling of a run as a process of its own, for a test that kills it: `chat-process.ts RECIPE OUT STORE`. Every event is a
// line of JSON on stdout.

const [recipe, out, storeFolder] = process.argv.slice(2) as [string, string, string];
await label(parseRecipe(readFileSync(recipe, 'utf8')), {
  out,
  storeFolder,
  recipeFolder: dirname(recipe),
  onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
});
