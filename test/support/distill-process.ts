import { readFileSync } from 'node:fs';
import { LimbeckError } from '../../src/errors.ts';
import { parseRecipe } from '../../src/recipe/parse.ts';
import { distill } from '../../src/run/distill.ts';
import { TIMING_SECONDS } from './small-run.ts';

// A run as a process of its own, for tests that kill it: `distill-process.ts RECIPE OUT STORE`. Every event is a line
// of JSON on stdout, and so is a LimbeckError.

const [recipe, out, storeFolder] = process.argv.slice(2);
const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
try {
  await distill(parseRecipe(readFileSync(recipe, 'utf8')), {
    out,
    storeFolder,
    timingSeconds: TIMING_SECONDS,
    onEvent: print,
  });
} catch (error) {
  if (!(error instanceof LimbeckError)) throw error;
  print({ type: 'error', code: error.code });
  process.exitCode = 1;
}
