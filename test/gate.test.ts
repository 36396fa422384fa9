import { existsSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { gateFailure, runSummary } from '../src/cli/result-summary.ts';
import { check, distill, evaluate, examineRecipe, measureModel, parseRecipe, train } from '../src/index.ts';
import { findChromium } from './support/chromium.ts';
import { writeJsonLines } from './support/glosses.ts';
import { keywordTeacher, keywordTexts } from './support/keyword-teacher.ts';
import { tokenizerJson } from './support/onnx-teacher.ts';
import { patience } from './support/patience.ts';
import { writeQuarters } from './support/small-pictures.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();
const recipe = (gate: string) =>
  parseRecipe(`
name: gated
task: image-classification
data: { source: { kind: idx, path: pictures, classes: [a, b, c, d] }, splits: { validation: 40 } }
student: { kind: resnet, width: 8, stages: 2, blocks: 1 }
training: { epochs: 2, batchSize: 32, optimizer: { kind: adamw, learningRate: 0.01 }, evaluateEvery: 9, earlyStopping: false }
export: { int8: { maxDrop: 1 }, gate: ${gate} }
`);

beforeAll(() => writeQuarters(place.path('pictures'), { train: 160, test: 60 }));
afterAll(() => place.remove());
const before = process.env.LIMBECK_CHROMIUM;
afterEach(() => {
  if (before === undefined) delete process.env.LIMBECK_CHROMIUM;
  else process.env.LIMBECK_CHROMIUM = before;
});

test('a student that exceeds its bounds in the runtime that will run it does not ship, and its layers are named', {
  timeout: patience(90),
}, async () => {
  const result = await train(
    recipe('{ node: { p50: 0.000001, p90: 60000, bytes: 1000, metric: 0.1 } }'),
    place.options('shut'),
  );
  const [gate] = result.runtimeGates ?? [];
  expect(gate).toMatchObject({ on: 'node', file: 'int8', threads: 1, starts: 5, samples: 60, passed: false });
  expect(gate?.runtime).toMatch(/^onnxruntime-node 1\./);
  expect(gate?.calls).toBeGreaterThanOrEqual(25);
  expect(gate?.bounds.map(({ kind, verdict }) => [kind, verdict])).toEqual([
    ['p50', 'beyond'],
    ['p90', 'within'],
    ['bytes', 'beyond'],
    ['metric', 'within'],
  ]);
  const [p50, p90, bytes, metric] = gate!.bounds;
  expect(p50?.value).toBeGreaterThanOrEqual(p50!.interval!.low);
  expect(p50?.value).toBeLessThanOrEqual(p90?.value as number);
  expect(p50?.layers?.map(({ layer }) => layer).join()).toMatch(/stage_\d/);
  expect(p50?.layers?.[0]?.cost).toBeGreaterThan(p50?.layers?.at(-1)?.cost as number);
  expect(bytes?.value).toBe(result.studentInt8?.bytes);
  expect(bytes?.layers?.[0]?.layer).toMatch(/stage_2/);
  // The runtime is the one that the run itself measured with: its answers are the same.
  expect(metric?.value).toBeCloseTo(result.studentInt8?.accuracy as number, 9);

  const run = place.path('runs', 'shut');
  expect(existsSync(`${run}/student`)).toBe(false);
  expect(result.student.file).toBe('rejected/student/onnx/model.onnx');
  expect(existsSync(`${run}/${result.studentInt8?.file}`)).toBe(true);
  expect(existsSync(`${run}/rejected/student/README.md`)).toBe(false);
  const failure = gateFailure(result) as string;
  expect(failure).toMatch(
    /takes .* ms in half of all calls \(5 starts: .*allows 0.000001 ms \(export.gate.node.p50\)\. Layers that take most of it: /,
  );
  expect(failure).toMatch(
    /\n {2}the int8 file has .* kB; the recipe allows 1 kB \(export.gate.node.bytes\)\. Layers with most of them: stage_2/,
  );
  expect(failure).not.toMatch(/p90|metric/);
  expect(runSummary(result, run, place.folder)).toContain(
    'none ships; it was kept back in runs/shut/rejected/student',
  );
  const page = readFileSync(`${run}/report.html`, 'utf8');
  expect(page).toContain('In the runtimes that will run it');
  expect(page).toContain('No student ships: it is in rejected/student.');
  const kept = { code: 'export.kept-back', where: `${run}/rejected/student` };
  await expect(evaluate(run, {})).rejects.toMatchObject(kept);
  await expect(measureModel(run, { on: ['node'] })).rejects.toMatchObject(kept);
});

test.skipIf(!findChromium())(
  'a file is bounded in a headless browser, where it answers as in Node',
  {
    timeout: patience(90),
  },
  async () => {
    const result = await train(recipe('{ wasm: { bytes: 1000, metric: 0.1 } }'), place.options('browser'));
    const [gate] = result.runtimeGates ?? [];
    expect(gate).toMatchObject({ on: 'wasm', file: 'int8', samples: 60, passed: false });
    expect(gate?.runtime).toMatch(/^onnxruntime-web .*, wasm, Chromium /);
    expect(gate?.bounds.map(({ kind, verdict }) => [kind, verdict])).toEqual([
      ['bytes', 'beyond'],
      ['metric', 'within'],
    ]);
    // Of 60 images, one may lie so near to the boundary that another order of sums decides it.
    expect(gate?.bounds[1]?.value).toBeCloseTo(result.studentInt8?.accuracy as number, 1.4);
    expect(existsSync(place.path('runs', 'browser', 'student'))).toBe(false);
    expect(gateFailure(result)).toMatch(/kB; the recipe allows 1 kB \(export.gate.wasm.bytes\)/);
  },
);

test('bounds may be changed after a run: it is measured anew, trains nothing again, and its card tells where', {
  timeout: patience(90),
}, async () => {
  place.write('tokenizer.json', await tokenizerJson());
  place.write('teacher.onnx', await keywordTeacher([0, 1]));
  writeJsonLines(
    place.path('data.jsonl'),
    keywordTexts(300, 2, (label) => ['billing', 'delivery'][label]),
  );
  const bounded = (bytes: number) =>
    parseRecipe(`
name: changed
data: { source: { kind: jsonl, path: data.jsonl }, splits: { validation: 60, test: 40 }, maxLength: 16 }
teacher: { kind: onnx, model: teacher.onnx, tokenizer: tokenizer.json, precision: f32 }
student: { kind: text-conv, embedding: 8, width: 8 }
objective: { kd: { weight: 0.9, temperature: 2 }, labels: { weight: 0.1 } }
training: { epochs: 2, batchSize: 32, optimizer: { kind: adamw, learningRate: 0.02 } }
export: { int8: false, gate: { node: { bytes: ${bytes} } } }
`);
  const run = place.path('runs', 'changed');
  const distilled = async (bytes: number) => {
    const stages: string[] = [];
    const options = place.options('changed', {
      baseline: false,
      onEvent: (event) =>
        (event.type === 'stage-start' || (event.type === 'progress' && event.task === 'training')) &&
        stages.push(event.type === 'progress' ? 'a step' : event.stage),
    });
    const { runtimeGates } = await distill(bounded(bytes), options);
    const where = ['student', 'rejected/student'].filter((name) => existsSync(`${run}/${name}`));
    return { gate: runtimeGates?.[0], stages: new Set(stages), where };
  };
  const shut = await distilled(1000);
  expect(shut.gate).toMatchObject({ on: 'node', file: 'f32', passed: false });
  expect(shut.stages).toContain('a step');
  expect(shut.where).toEqual(['rejected/student']);
  const again = await distilled(1000);
  expect(again.stages.size).toBe(0);
  expect(again.where).toEqual(['rejected/student']);
  const looser = await distilled(9_000_000);
  expect(looser.gate).toMatchObject({ passed: true });
  expect(looser.stages).toContain('evaluate');
  expect(looser.stages).not.toContain('a step');
  expect(looser.where).toEqual(['student']);
  expect(readFileSync(`${run}/student/README.md`, 'utf8')).toMatch(
    /\*\*Measured\*\* on node \(onnxruntime-node/,
  );
});

test('a runtime that is not there is refused before anything is trained, with its key', {
  timeout: patience(60),
}, async () => {
  process.env.LIMBECK_CHROMIUM = place.path('no-browser');
  const gated = recipe('{ wasm: { p50: 5 } }');
  const missing = { code: 'measure.no-runtime', where: 'export.gate.wasm' };
  await expect(train(gated, place.options('refused'))).rejects.toMatchObject(missing);
  expect(existsSync(place.path('runs', 'refused', 'checkpoints', 'train'))).toBe(false);
  await expect(check(gated, place.options('refused'))).rejects.toMatchObject(missing);
  expect(await examineRecipe(gated, place.options('refused'))).toContainEqual(
    expect.objectContaining({
      name: 'runtimes',
      status: 'problem',
      found: expect.stringMatching(/browser does not start/),
      where: 'export.gate.wasm',
    }),
  );
  const many = recipe('{ node: { threads: 256, bytes: 1 } }');
  await expect(check(many, place.options('refused'))).rejects.toMatchObject({
    code: 'measure.threads',
    where: 'export.gate.node.threads',
  });
});
