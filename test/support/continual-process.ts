import { readFileSync } from 'node:fs';
import { parseRecipe } from '../../src/recipe/parse.ts';
import { continual } from '../../src/run/continual.ts';

// A continual run as a process of its own, for a test that kills it: `continual-process.ts RECIPE OUT STORE`. Every event
// is a line of JSON on stdout.

const [recipe, out, storeFolder] = process.argv.slice(2) as [string, string, string];
await continual(parseRecipe(readFileSync(recipe, 'utf8')), {
  out,
  storeFolder,
  onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
});
