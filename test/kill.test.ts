import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { randomStream } from '../src/random.ts';
import { parseRecipe } from '../src/recipe/parse.ts';
import type { RunResult } from '../src/report/result.ts';
import { distill } from '../src/run/distill.ts';
import { type Build, buildLimbeck } from './support/build.ts';
import { jsonLines, launch, type Running } from './support/child-process.ts';
import { fileHash } from './support/file-hash.ts';
import { readGlosses, writeJsonLines } from './support/glosses.ts';
import { patience } from './support/patience.ts';
import { RunPlace, smallRecipeText } from './support/small-run.ts';

const SCRIPT = fileURLToPath(new URL('./support/distill-process.js', import.meta.url));
const place = new RunPlace();
let build: Build;

beforeAll(async () => {
  build = buildLimbeck();
  writeJsonLines(place.path('data.jsonl'), await readGlosses(120));
  const { data, teacher, training, objective, ...rest } = parse(smallRecipeText());
  const recipe = {
    ...rest,
    data: { ...data, splits: { validation: 80, test: 140 }, buckets: [16, 24, 32] },
    // The int8 teacher labels whatever it agrees on and takes, and is looked into in the same pass.
    teacher: { ...teacher, precision: 'int8', minInnerCosine: 0 },
    objective: { ...objective, featureMse: { weight: 0.1 } },
    // Checkpoints so close that a kill falls between them, on them and while they are written. Enough steps that an interrupt finds some left.
    training: { ...training, epochs: 48, checkpointEvery: 0.05 },
  };
  place.write('small.yaml', stringify(recipe));
});
afterAll(() => {
  build?.remove();
  place.remove();
});

const start = (run: string): Running =>
  launch(
    SCRIPT,
    [build.file(''), 'small.yaml', place.path('runs', run), place.path(`store-${run}`)],
    place.folder,
  );
const shipped = [
  'student/onnx/model.onnx',
  'student/onnx/model_quantized.onnx',
  'teacher/model.onnx',
  'teacher/model_int8.onnx',
  'baseline/model.onnx',
  'peer/linear-labels.onnx',
  'peer/linear-answers.onnx',
];
const hashes = (run: string) => shipped.map((name) => [name, fileHash(place.path('runs', run, name))]);
const resultOf = (run: string): RunResult =>
  JSON.parse(readFileSync(place.path('runs', run, 'result.json'), 'utf8'));

/** How far labelling was, by the time at which it was heard. */
interface Heard {
  at: number;
  done: number;
}

/** What a part of the run said of its labelling, and how many milliseconds it spent in each stage. */
interface Part {
  missing: number | undefined;
  heard: Heard[];
  spent: Map<string, number>;
}

async function follow(running: Running): Promise<Part> {
  const heard: Heard[] = [];
  const starts: { stage: string; at: number }[] = [];
  let rest = '';
  running.child.stdout?.on('data', (chunk) => {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = JSON.parse(line);
      if (event.type === 'progress' && event.task === 'labelling')
        heard.push({ at: performance.now(), done: event.done });
      if (event.type === 'stage-start') starts.push({ stage: event.stage, at: performance.now() });
    }
  });
  await running.ended;
  const end = performance.now();
  const spent = new Map(starts.map(({ stage, at }, i) => [stage, (starts[i + 1]?.at ?? end) - at]));
  const [, missing] = /"message":"(\d+) of \d+ train texts have no answer yet/.exec(running.out()) ?? [];
  return { missing: missing === undefined ? undefined : Number(missing), heard, spent };
}

describe('a run that is killed again and again', () => {
  /**
   * Where each part is killed: at some random time after this was told, up to a share of the time that the run left
   * alone spent in the stage. Seconds would be too many for a fast machine, where the stage is over by then.
   */
  const KILLS: [stage: string, moment: RegExp, within: number][] = [
    ['teacher', /"type":"(progress|stage-start)","stage":"teacher"/, 0.7],
    ['label', /"type":"(progress|stage-start)","stage":"label"/, 0.5],
    ['label', /"type":"progress","stage":"label","task":"labelling"/, 0.1],
    ['train', /"type":"progress","stage":"train"/, 0.5],
    ['export', /"type":"(progress|stage-start)","stage":"export"/, 0.5],
  ];

  test(
    'ends in the bits of one that was not, and asks the teacher only for what is missing',
    async () => {
      const whole = start('whole');
      const { spent } = await follow(whole);
      expect(await whole.ended).toMatchObject({ code: 0 });

      const random = randomStream(20, 'kills');
      const killedIn: string[] = [];
      let missing = Number.POSITIVE_INFINITY;
      for (const [stage, moment, within] of KILLS) {
        const running = start('killed');
        const followed = follow(running);
        await running.printed(moment);
        await setTimeout(random.uniform() * within * spent.get(stage)!);
        const killedAt = performance.now();
        running.child.kill('SIGKILL');
        const { signal, out } = await running.ended;
        if (signal === 'SIGKILL') {
          const last = [...out.matchAll(/"stage-start","stage":"(\w+)"/g)].at(-1);
          killedIn.push(last?.[1] ?? 'start');
        } else expect(jsonLines(out).at(-1)).not.toMatchObject({ type: 'error' });
        const part = await followed;
        if (part.missing === undefined) continue;
        expect(part.missing).toBeLessThanOrEqual(missing);
        // The last 2 seconds of a killed process may be lost, no more; a second for the way to here.
        const kept = part.heard.filter(({ at }) => at < killedAt - 3000).at(-1)?.done ?? 0;
        missing = part.missing - kept;
      }
      const last = start('killed');
      const { code, out } = await last.ended;
      expect(jsonLines(out).filter(({ type }) => type === 'error')).toEqual([]);
      expect(code).toBe(0);

      expect(new Set(killedIn).size, killedIn.join()).toBeGreaterThanOrEqual(3);
      expect(hashes('killed')).toEqual(hashes('whole'));
      const [killed, never] = [resultOf('killed'), resultOf('whole')];
      for (const model of ['teacher', 'student', 'studentInt8', 'baseline'] as const) {
        const { accuracy, macroF1 } = never[model]!;
        expect(killed[model]).toMatchObject({ accuracy, macroF1 });
      }
      expect(killed.teacherCalls).toBe(never.teacherCalls);
      expect(killed.teacherCallsSaved).toBe(never.teacherCallsSaved);
      expect(readFileSync(place.path('runs', 'killed', 'metrics.jsonl'), 'utf8').split('\n')).toHaveLength(
        readFileSync(place.path('runs', 'whole', 'metrics.jsonl'), 'utf8').split('\n').length,
      );
      expect(existsSync(place.path('runs', 'killed', '.lock'))).toBe(false);
    },
    patience(240),
  );
});

describe('Ctrl+C', () => {
  const start = () =>
    launch(build.cli, ['distill', 'small.yaml', '--store', 'store-whole', '--json'], place.folder);

  test(
    'once: a clean end with 130, everything kept; twice: an end at once; then the run goes on',
    async () => {
      // Teacher, answers and linear models are those of the run that was left alone: there is training to interrupt at once.
      const kept = ['recipe.resolved.yaml', 'splits.bin', 'state.json', 'teacher'];
      const trained = ['teacher', 'linear-labels', 'linear-answers'].map((name) => `checkpoints/${name}`);
      for (const name of [...kept, ...trained])
        cpSync(place.path('runs', 'whole', name), place.path('runs', 'small', name), { recursive: true });
      const once = start();
      expect(await once.printed(/"type":"progress","stage":"train"/)).toBe(true);
      once.child.kill('SIGINT');
      const first = await once.ended;
      expect(first).toMatchObject({ code: 130, signal: null });
      const lines = jsonLines(first.out);
      expect(lines.at(-1)).toMatchObject({ type: 'error', code: 'run.interrupted' });
      expect(lines).toContainEqual(
        expect.objectContaining({ type: 'log', message: expect.stringMatching(/Ctrl\+C again/) }),
      );
      const folder = place.path('runs', 'small');
      expect(existsSync(`${folder}/.lock`)).toBe(false);
      const [checkpoint] = readdirSync(`${folder}/checkpoints/train`);
      expect(Number(/^step-(\d+)/.exec(checkpoint!)?.[1])).toBeGreaterThan(0);

      const twice = start();
      expect(await twice.printed(/"type":"progress","stage":"train"/)).toBe(true);
      const stopped = performance.now();
      twice.child.kill('SIGINT');
      await twice.printed(/Ctrl\+C again/);
      twice.child.kill('SIGINT');
      expect(await twice.ended).toMatchObject({ code: 130, signal: null });
      expect(performance.now() - stopped).toBeLessThan(5000);

      const recipe = parseRecipe(readFileSync(place.path('small.yaml'), 'utf8'));
      const steps: number[] = [];
      await distill(recipe, {
        ...place.options('small', { storeFolder: place.path('store-whole') }),
        onEvent: (event) => event.type === 'progress' && event.stage === 'train' && steps.push(event.done),
      });
      expect(steps[0]).toBeGreaterThan(1);
      expect(hashes('small')).toEqual(hashes('whole'));
    },
    patience(120),
  );
});
