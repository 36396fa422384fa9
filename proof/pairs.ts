import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { StagePlan } from '../src/run/planning/stage-plan.ts';
import { limitedProcess } from './limited-process.ts';
import { MADE_PAIRS } from './pair-teachers.ts';
import type { Proof, ProofResult } from './proof.ts';
import { markdownTable } from './statistics.ts';

const FOLDER = fileURLToPath(new URL('../runs/proof/pairs', import.meta.url));
const PAGES = fileURLToPath(new URL('../docs/pairs', import.meta.url));
const CHILD = fileURLToPath(new URL('pairs-child.ts', import.meta.url));

const TITLES: Readonly<Record<string, string>> = {
  'resnet-mobilenet': 'ResNet-152 to MobileNetV3, 224 pixels',
  'bert-albert': 'BERT-large to ALBERT-tiny, 128 tokens',
  'clip-tinyclip': 'CLIP ViT-L/14 to TinyCLIP, 224 pixels',
};
/** Stages that a pair is told of alone. */
const STAGES = ['teacher', 'label', 'train', 'evaluate'];
/** Of what was planned to what was, either way. */
const BOUND = 1.5;

interface Planned {
  readonly stages: readonly StagePlan[];
  readonly seconds: number;
  /** Of all threads together. */
  readonly processorSeconds?: number;
}

interface Done {
  /** Seconds of each stage. */
  readonly stages: Readonly<Record<string, number>>;
  readonly steps: number;
  /** Bytes. */
  readonly disk: number;
  readonly memory: number;
  readonly seconds: number;
}

export interface Pair {
  readonly name: string;
  readonly planned: Planned;
  readonly done: Done;
}

/** The ready-made pairs at full size, with drawn weights: what they take, beside what `plan` says. */
export const pairsAtFullSize: Proof = {
  name: 'pairs',
  title: 'The ready-made pairs at full size',
  async run(log) {
    const pairs: Pair[] = [];
    for (const name of Object.keys(MADE_PAIRS)) pairs.push(await measure(name, log));
    return compared(pairs);
  },
};

/** What was planned of some pairs, beside what they took. */
export function compared(pairs: readonly Pair[]): ProofResult {
  const rows = pairs.flatMap(({ name, planned, done }) => {
    const row = (what: string, plan: number, run: number, tell: (value: number) => string) => [
      ...[TITLES[name] as string, what, tell(plan), tell(run), run > 0 ? (plan / run).toFixed(2) : ''],
    ];
    const whole = totalOf(planned);
    return [
      ...STAGES.map((stage) => row(stage, secondsOf(planned, stage), done.stages[stage] ?? 0, inSeconds)),
      row('all', whole.seconds, sum(Object.values(done.stages)), inSeconds),
      row('memory', whole.memory, done.memory, inMegabytes),
      row('disk', whole.disk, done.disk, inMegabytes),
    ];
  });
  const isNear = (a: number, b: number) => Math.max(a / b, b / a) <= BOUND;
  return {
    table: markdownTable([['pair', '', 'planned', 'was', 'planned / was'], ...rows]),
    text:
      'Teachers of the real sizes with drawn weights, the recipes of the pages in `docs/pairs/` with a local teacher, made data (40 samples to train on, 12 to validate, 12 to test) and 20 steps of 8 samples. Memory is VmHWM of a process of its own, which counts mapped files; disk is the folder of the run and the store. ' +
      `\`plan\` itself took ${pairs.map(({ planned }) => planTime(planned)).join(', ')}. A plan holds for a machine that stays as busy as it was.`,
    claims: [
      { text: 'every pair trains for 20 steps', holds: pairs.every(({ done }) => done.steps === 20) },
      {
        text: `memory is planned to ${BOUND} times, either way`,
        holds: pairs.every(({ planned, done }) => isNear(totalOf(planned).memory, done.memory)),
      },
      {
        text: `disk is planned to ${BOUND} times, either way`,
        holds: pairs.every(({ planned, done }) => isNear(totalOf(planned).disk, done.disk)),
      },
      {
        text: `time is planned to ${BOUND} times, either way`,
        holds: pairs.every(({ planned, done }) =>
          isNear(totalOf(planned).seconds, sum(Object.values(done.stages))),
        ),
      },
    ],
  };
}

/** One pair: its teacher and data made, planned, and run, each in a process of its own. What is finished is not done again. */
async function measure(name: string, log: (line: string) => void): Promise<Pair> {
  const folder = join(FOLDER, name);
  const kept = join(FOLDER, `${name}.json`);
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as Pair;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const recipe = JSON.stringify(recipeOf(name));
  await child(['make', name, folder], log);
  const planned = (await child(['plan', recipe, folder], log)) as Planned;
  const done = (await child(['distill', recipe, folder], log)) as Done;
  const pair = { name, planned, done };
  writeFileSync(kept, JSON.stringify(pair, null, 2));
  // Teachers have up to 1.7 GB.
  rmSync(folder, { recursive: true, force: true });
  return pair;
}

/** The recipe of the pair's page, with the teacher and the data that were made. */
export function recipeOf(name: string): Record<string, unknown> {
  const page = readFileSync(join(PAGES, `${name}.md`), 'utf8');
  const [, yaml] = /^```yaml\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const recipe = parse(yaml as string) as Record<string, unknown>;
  for (const [path, value] of Object.entries(MADE_PAIRS[name]?.instead ?? {})) {
    const keys = path.split('.');
    const last = keys.pop() as string;
    const section = keys.reduce((at, key) => at[key] as Record<string, unknown>, recipe);
    section[last] = value;
  }
  return recipe;
}

async function child(args: readonly string[], log: (line: string) => void): Promise<unknown> {
  const began = performance.now();
  const { code, signal, stdout, stderr } = await limitedProcess(['--import', 'tsx', CHILD, ...args]);
  const line = stdout.trim().split('\n').at(-1) ?? '';
  log(
    `${args[0]}: ${signal ?? `exit code ${code}`} after ${((performance.now() - began) / 1000).toFixed(0)} s ${line}`,
  );
  if (code !== 0) throw new Error(stderr.trim().split('\n').slice(-20).join('\n'));
  return JSON.parse(line);
}

const inSeconds = (value: number) => `${value.toFixed(0)} s`;
const inMegabytes = (value: number) => `${(value / 1e6).toFixed(0)} MB`;

function planTime({ seconds, processorSeconds }: Planned): string {
  const busy = processorSeconds === undefined ? '' : ` (${inSeconds(processorSeconds)} of processor time)`;
  return `${inSeconds(seconds)}${busy}`;
}

function totalOf({ stages }: Planned): { seconds: number; memory: number; disk: number } {
  return {
    seconds: sum(stages.map(({ seconds }) => seconds)),
    memory: Math.max(...stages.map(({ memoryBytes }) => memoryBytes)),
    disk: sum(stages.map(({ diskBytes }) => diskBytes)),
  };
}

function secondsOf({ stages }: Planned, name: string): number {
  return sum(stages.filter(({ stage }) => stage === name).map(({ seconds }) => seconds));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
