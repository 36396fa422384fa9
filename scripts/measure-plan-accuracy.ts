/**
 * Plans a recipe, runs it, and prints how far the plan was off, as the table in docs/plan-accuracy.md:
 *
 *     npx tsx scripts/measure-plan-accuracy.ts recipes/glosses.yaml
 *
 * Both happen in a temporary folder with a store of their own, one after the other. The load of the machine is
 * printed too, because a plan holds for a machine that stays as busy as it was.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { distill, parseRecipe, plan } from '../src/index.ts';
import { scriptArguments } from './script-arguments.ts';

const { positionals } = scriptArguments(import.meta.url, { allowPositionals: true });
const [file = 'recipes/glosses.yaml'] = positionals;
const recipe = parseRecipe(await readFile(file, 'utf8'), { file });
const folder = await mkdtemp(join(tmpdir(), 'limbeck-plan-accuracy-'));
const options = {
  out: join(folder, 'run'),
  storeFolder: join(folder, 'store'),
  recipeFolder: dirname(file),
};
const load = () => loadavg()[0]!.toFixed(1);

try {
  const loads = [load()];
  const started = performance.now();
  const planned = await plan(recipe, options);
  const planSeconds = (performance.now() - started) / 1000;
  loads.push(load());
  // Seconds as the stages tell them: the report's own are not yet in the result that it writes.
  const spent = new Map<string, number>();
  const result = await distill(recipe, {
    ...options,
    onEvent: (event) => {
      if (event.type === 'stage-end') spent.set(event.stage, event.seconds);
    },
  });
  loads.push(load());

  const row = (name: string, expected: number, atMost: number, took: number) => {
    // Parts of a second say nothing as a percentage.
    const off = took < 1 ? '' : `${(100 * (expected / took - 1)).toFixed(0)} %`;
    console.log(`| ${name} | ${expected.toFixed(1)} | ${atMost.toFixed(1)} | ${took.toFixed(1)} | ${off} |`);
  };
  console.log('| stage | planned s | at most s | took s | off |\n|---|---|---|---|---|');
  let [expected, atMost, took] = [0, 0, 0];
  for (const { stage, seconds, secondsAtMost } of planned.stages) {
    const real = spent.get(stage) ?? 0;
    row(stage, seconds, secondsAtMost, real);
    expected += seconds;
    atMost += secondsAtMost;
    took += real;
  }
  row('in all', expected, atMost, took);
  const memory = Math.max(...planned.stages.map(({ memoryBytes }) => memoryBytes));
  console.log(
    `\nPlanned in ${planSeconds.toFixed(1)} s. Memory: planned ${mega(memory)}, peak of this process ${mega(result.machine.memoryPeakBytes)}.`,
  );
  console.log(
    `Load before, between and after: ${loads.join(', ')}. ${result.machine.cpu}, ${result.engine}.`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}

function mega(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
