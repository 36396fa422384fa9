import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type ContinualResult, continual, parseRecipe, writeReport } from '../src/index.ts';
import { fileHash } from './support/file-hash.ts';
import { readGlosses, writeJsonLines } from './support/glosses.ts';
import { patience } from './support/patience.ts';
import { writeQuarters } from './support/small-pictures.ts';
import { RunPlace, smallRecipeText } from './support/small-run.ts';

const place = new RunPlace();
const recipeText = (rest = '') => `
name: quarters
task: image-classification
data:
  source: { kind: idx, path: pictures, classes: [north-west, north-east, south-west, south-east] }
  splits: { validation: 60 }
student: { kind: resnet, width: 8, stages: 2, blocks: 1 }
training: { batchSize: 16, optimizer: { kind: adamw, learningRate: 0.01 }, maxGradNorm: 5, checkpointEvery: 0.05 }
store: store
continual:
  tasks: 2
  epochs: 4
  ewc: { samples: 20 }
  replay: { memory: 24 }
${rest}`;
const recipe = (rest?: string, overrides: string[] = []) => parseRecipe(recipeText(rest), { overrides });

let whole: ContinualResult;
beforeAll(async () => {
  writeQuarters(place.path('pictures'), { train: 260, test: 120 });
  whole = await continual(recipe(), place.options('whole', { storeFolder: place.path('store-whole') }));
});
afterAll(() => place.remove());

const of = (result: ContinualResult, method: string) =>
  result.methods.find((one) => one.method === method) as ContinualResult['methods'][number];

describe('limbeck continual', () => {
  it('teaches task after task, and measures what is forgotten', () => {
    expect(whole.tasks.map(({ classes }) => classes)).toEqual([
      ['north-west', 'north-east'],
      ['south-west', 'south-east'],
    ]);
    expect(whole.methods.map(({ method }) => method)).toEqual([
      'naive',
      'self',
      'ewc',
      'replay',
      'all',
      'joint',
    ]);
    const naive = of(whole, 'naive');
    // The first task is learnt, and then nothing of it is left: nobody tells the task.
    expect(naive.matrix[0]?.[0]).toBeGreaterThan(0.8);
    expect(naive.matrix[0]?.[1]).toBe(0);
    expect(naive.forgetting).toBeGreaterThan(0.6);
    expect(naive.forgettingOfNaive).toBe(1);
    const replay = of(whole, 'replay');
    expect(replay.forgettingOfNaive).toBeLessThan(0.6);
    expect(replay.accuracy).toBeGreaterThan(naive.accuracy + 0.1);
    expect(of(whole, 'joint').accuracy).toBeGreaterThan(naive.accuracy + 0.2);
    // Before there is a past, all methods are the same.
    for (const method of ['self', 'ewc', 'replay', 'all'])
      expect(of(whole, method).matrix[0]).toEqual(naive.matrix[0]);
  });

  it('leaves the best student in the Hugging Face layout, as it was measured', () => {
    const { shipped, tasks } = whole;
    const inTurn = whole.methods.filter(({ method }) => method !== 'joint');
    const final = (rows: readonly (readonly number[])[]) => rows.at(-1)!.reduce((sum, one) => sum + one, 0);
    const best = inTurn.toSorted((a, b) => final(b.validation) - final(a.validation))[0]!;
    expect(shipped?.method).toBe(best.method);
    const tests = tasks.map(({ test }) => test);
    const right = best.matrix.at(-1)!.reduce((sum, accuracy, task) => sum + accuracy * tests[task]!, 0);
    expect(shipped?.student.accuracy).toBeCloseTo(right / tests.reduce((sum, test) => sum + test), 6);
    const folder = place.path('runs', 'whole', 'student');
    for (const name of ['config.json', 'preprocessor_config.json', 'README.md', 'onnx/model.onnx'])
      expect(existsSync(`${folder}/${name}`)).toBe(true);
    expect(existsSync(`${folder}/onnx/model_quantized.onnx`)).toBe(shipped?.gate?.passed);
    expect(readFileSync(`${folder}/README.md`, 'utf8')).toContain(
      `taught 2 tasks one after another (${best.method})`,
    );
  });

  it('leaves a page, a result and lines of metrics by method and task', async () => {
    const page = readFileSync(place.path('runs', 'whole', 'report.html'), 'utf8');
    expect(page).toContain('Every task after every task');
    rmSync(place.path('runs', 'whole', 'report.html'));
    await writeReport(place.path('runs', 'whole'));
    expect(readFileSync(place.path('runs', 'whole', 'report.html'), 'utf8')).toBe(page);
    const rows = metrics('whole');
    expect(rows.some(({ method, task }) => method === 'all' && task === 2)).toBe(true);
    expect(rows.find(({ method }) => method === 'all')).toMatchObject({
      'loss/self': expect.any(Number),
      'loss/ewc': expect.any(Number),
      'loss/replay-logits': expect.any(Number),
    });
    // Again on the same folder it answers at once.
    const again = await continual(
      recipe(),
      place.options('whole', { storeFolder: place.path('store-whole') }),
    );
    expect(again).toEqual(whole);
  });

  it(
    'goes on after it was killed, and ends in the same bits',
    async () => {
      place.write('quarters.yaml', recipeText());
      for (const moment of [/"task":"ewc, task 2 of 2","done":3/, /"task":"all, task 2 of 2","done":5/])
        await killedAt(moment);
      const seen: string[] = [];
      const result = await continual(
        recipe(),
        place.options('killed', {
          storeFolder: place.path('store-killed'),
          onEvent: (event) => event.type === 'progress' && event.stage === 'train' && seen.push(event.task),
        }),
      );
      expect(result.methods).toEqual(whole.methods);
      // What was done stays done.
      expect(new Set(seen)).toEqual(new Set(['all, task 2 of 2', 'joint, all tasks']));
      const lines = (run: string) => metrics(run).map(({ seconds: _, ...row }) => JSON.stringify(row));
      expect(lines('killed').sort()).toEqual(lines('whole').sort());
      for (const past of ['all/task-1.onnx', 'replay/task-1.onnx'])
        expect(fileHash(place.path('runs', 'killed', 'past', past))).toBe(
          fileHash(place.path('runs', 'whole', 'past', past)),
        );
    },
    patience(90),
  );

  it('tells the task where the recipe says so: less is forgotten', async () => {
    const told = recipe('  setting: task-incremental\n  methods: [naive]');
    const result = await continual(told, place.options('told'));
    expect(result.methods).toHaveLength(1);
    expect(of(result, 'naive').forgetting).toBeLessThan(of(whole, 'naive').forgetting);
    // A task that is still to come can be answered as well, if only by chance.
    expect(of(result, 'naive').matrix[0]?.[1]).toBeGreaterThan(0);
  });

  it('teaches texts in buckets, beside a teacher that knows all tasks', async () => {
    writeJsonLines(place.path('data.jsonl'), await readGlosses(90));
    const { training, ...rest } = parse(smallRecipeText('texts'));
    const text = stringify({
      ...rest,
      data: { ...rest.data, splits: { validation: 60, test: 100 }, labelsPerClass: 'all' },
      training: { ...training, batchSize: 16 },
      continual: {
        tasks: [['noun.animal', 'noun.plant'], ['noun.person']],
        epochs: 3,
        methods: ['all', 'naive'],
      },
    });
    const warnings: string[] = [];
    const result = await continual(
      parseRecipe(text),
      place.options('texts', {
        onEvent: (event) => event.type === 'log' && warnings.push(event.message),
      }),
    );
    expect(warnings.join()).toMatch(/in no task, and never learnt: 'noun\.[a-z]+'\. Their samples/);
    expect(result.methods.map(({ method }) => method)).toEqual(['naive', 'all']);
    expect(result.tasks.map(({ classes }) => classes.length)).toEqual([2, 1]);
    expect(of(result, 'all').accuracy).toBeGreaterThan(of(result, 'naive').accuracy);
    const row = metrics('texts').find(({ method, task }) => method === 'all' && task === 2);
    for (const term of ['labels', 'teacher', 'self', 'ewc', 'replay-labels', 'replay-logits'])
      expect(row?.[`loss/${term}`], term).toEqual(expect.any(Number));
  });

  it.each([
    ['a class that is not there', '  tasks: [[north-west, north-est], [south-west]]', /no class 'north-est'/],
    ['more tasks than classes', '  tasks: 9', /4 classes do not make 9 tasks/],
    ['a teacher that nobody named', '  methods: [teacher]', /needs a teacher/],
  ])('refuses %s', async (what, rest, message) => {
    const text = rest.includes('tasks')
      ? recipeText().replace('  tasks: 2\n', `${rest}\n`)
      : recipeText(rest);
    await expect(continual(parseRecipe(text), place.options(what))).rejects.toThrow(message);
    await expect(
      continual(parseRecipe(text.replace(/continual:[\s\S]*/, '')), place.options('none')),
    ).rejects.toMatchObject({ code: 'recipe.no-continual' });
  });
});

function metrics(run: string): Record<string, unknown>[] {
  const text = readFileSync(place.path('runs', run, 'metrics.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Starts the run as a process and kills it when it tells what matches. */
async function killedAt(moment: RegExp): Promise<void> {
  const script = fileURLToPath(new URL('./support/continual-process.ts', import.meta.url));
  const args = ['--import', import.meta.resolve('tsx'), script];
  const child = spawn(
    process.execPath,
    [...args, 'quarters.yaml', place.path('runs', 'killed'), place.path('store-killed')],
    { cwd: place.folder, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
    if (moment.test(out)) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  expect(signal).toBe('SIGKILL');
}
