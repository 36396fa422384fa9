import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

// A run as a process of its own, for tests that kill it: `distill-process.js DIST RECIPE OUT STORE`, DIST being where
// Limbeck is built. Every event is a line of JSON on stdout, and so is a LimbeckError.

const [dist, recipe, out, storeFolder] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(`${dist}/${file}`).href);
const { LimbeckError } = await load('errors.js');
const { parseRecipe } = await load('recipe/parse.js');
const { distill } = await load('run/distill.js');

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
try {
  await distill(parseRecipe(readFileSync(recipe, 'utf8')), {
    out,
    storeFolder,
    // Timing is the longest part of a small run.
    timingSeconds: 0.03,
    onEvent: print,
  });
} catch (error) {
  if (!(error instanceof LimbeckError)) throw error;
  print({ type: 'error', code: error.code });
  process.exitCode = 1;
}
