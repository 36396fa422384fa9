import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { distill, parseRecipe, plan, type RunOptions } from '../src/index.ts';
import { highWaterMark } from './limited-process.ts';
import { MADE_PAIRS } from './pair-teachers.ts';

// A part of a pair's proof in a process of its own, whose memory is then known: `make PAIR FOLDER`, `plan RECIPE FOLDER` or
// `distill RECIPE FOLDER`, RECIPE being JSON. It prints one line of JSON.

const [what, subject, folder] = process.argv.slice(2) as [string, string, string];
const options: RunOptions = {
  out: join(folder, 'run'),
  recipeFolder: folder,
  storeFolder: join(folder, 'store'),
  baseline: false,
  // What a teacher of this size takes to be asked for one text is not what is shown.
  timingSeconds: 0,
};
const began = performance.now();
const seconds = () => (performance.now() - began) / 1000;
/** Of the processor, all threads together: what a busy machine does not change. */
const processorSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
if (what === 'make') {
  await MADE_PAIRS[subject]?.make(folder);
  console.log('{}');
} else if (what === 'plan') {
  const { stages } = await plan(parseRecipe(subject), options);
  console.log(JSON.stringify({ stages, seconds: seconds(), processorSeconds: processorSeconds() }));
} else {
  const stages: Record<string, number> = {};
  let steps = 0;
  await distill(parseRecipe(subject), {
    ...options,
    onEvent(event) {
      if (event.type === 'stage-end') stages[event.stage] = event.seconds;
      if (event.type === 'progress' && event.stage === 'train' && event.unit === 'steps')
        steps = Math.max(steps, event.done);
    },
  });
  const disk = (await bytesIn(join(folder, 'run'))) + (await bytesIn(join(folder, 'store')));
  console.log(
    JSON.stringify({
      stages,
      steps,
      disk,
      memory: highWaterMark(),
      seconds: seconds(),
      processorSeconds: processorSeconds(),
    }),
  );
}

async function bytesIn(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  );
}
