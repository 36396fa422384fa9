import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNodeEngine } from '../src/engine/node.ts';
import { exportStudent, openEarlyExits, parseRecipe, plan, train } from '../src/index.ts';
import { readModelFile } from '../src/onnx/node-files.ts';
import { tensor } from '../src/onnx/tensor.ts';
import { cutOff, goOn } from './support/cut-off.ts';
import { fileHash } from './support/file-hash.ts';
import { patience } from './support/patience.ts';
import { writeQuarters } from './support/small-pictures.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();
const recipe = (exits: string, later = '', further = '') =>
  parseRecipe(`
name: exits
task: image-classification
data: { source: { kind: idx, path: pictures, classes: [a, b, c, d] }, splits: { validation: 60 } }
student: { kind: resnet, width: 8, stages: 2, blocks: 1 }
training: { epochs: 3, batchSize: 32, checkpointEvery: ${later ? 0.001 : 30}, optimizer: { kind: adamw, learningRate: 0.01 }, evaluateEvery: 9, earlyStopping: false }
compress: [{ kind: exits, after: [1], places: 2, maxDrop: 0.1${exits} }${later}]
export: { int8: { maxDrop: 0.2 }${further} }
`);

beforeAll(() => writeQuarters(place.path('pictures'), { train: 200, test: 60 }));
afterAll(() => place.remove());

/** Holds that a file with branches and its parts answer alike, and that samples leave both by the same exits. */
async function answerAlike(run: string, model: string, digits = 5): Promise<void> {
  const engine = createNodeEngine({ threads: 1 });
  const pixels = Float32Array.from({ length: 8 * 3 * 64 }, (_, i) => Math.sin(i * i));
  const feeds = { pixel_values: tensor('float32', [8, 3, 8, 8], pixels) };
  const session = await engine.load(`${run}/student/${model}`);
  const whole = await session.run(feeds);
  const parts = await openEarlyExits(`${run}/student`, { engine, model });
  const { logits, exit } = await parts.run(feeds);
  expect([...exit]).toEqual([...(whole.exit!.data as BigInt64Array)].map(Number));
  logits.data.forEach((value, i) => {
    expect(value).toBeCloseTo(whole.logits!.data[i] as number, digits);
  });
  await parts.release();
  await session.release();
}

test('a student with exits ships as one file with branches and in parts, which answer alike', {
  timeout: patience(60),
}, async () => {
  const run = place.path('runs', 'run');
  const all = recipe('', '', ', q4: { maxDrop: 1 }, fp16: { maxDrop: 1 }');
  const result = await train(all, place.options('run'));
  const { model, quantized, further } = result.exits!;
  for (const form of [model, quantized!, further!.q4!, further!.fp16!]) {
    expect(form.exits.map(({ layer }) => layer)).toEqual(['stage_1/block_1', undefined]);
    expect(form.exits.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(form.validation.toTheEnd - form.validation.accuracy).toBeLessThanOrEqual(0.1 + 1e-9);
    expect(form.curve.at(-1)!.latencyMs).toBeGreaterThan(0);
  }
  expect(model.exits[0]!.share).toBeGreaterThan(0);
  // What was measured at the exits is what the shipped file answers.
  expect(model.test.accuracy).toBeCloseTo(result.student.accuracy as number, 9);
  expect(result.baselines?.map(({ name }) => name)).toContain('to-the-end');
  const onnx = place.path('runs', 'run', 'student', 'onnx', 'model.onnx');
  const shipped = readModelFile(onnx);
  expect(shipped.nodes.map(({ opType }) => opType)).toContain('If');
  expect(shipped.outputs.map(({ name }) => name)).toEqual(['logits', 'exit']);
  expect(readFileSync(`${run}/report.html`, 'utf8')).toContain('Who leaves early');
  expect(readFileSync(`${run}/metrics.jsonl`, 'utf8')).toContain('loss/exit_1/self');

  // Which conversions around float16 a processor leaves out depends on the graph.
  for (const suffix of ['', '_quantized', '_q4', '_fp16'])
    await answerAlike(run, `onnx/model${suffix}.onnx`, suffix === '_fp16' ? 3 : 5);

  const rows = (await plan(all, place.options('run'))).stages;
  expect(rows.find(({ stage }) => stage === 'evaluate')?.note).toMatch(/^the exits: \d+\.\d s$/);

  const hash = fileHash(onnx);
  rmSync(`${run}/student`, { recursive: true });
  await exportStudent(run, {});
  expect(fileHash(onnx)).toBe(hash);
});

test('the one file and its parts together are within export.int8.maxBytes, and answer alike', {
  timeout: patience(60),
}, async () => {
  const maxBytes = 75_000;
  const out = place.path('runs', 'bounded');
  const bounded = parseRecipe(`
name: bounded
task: image-classification
data: { source: { kind: idx, path: pictures, classes: [a, b, c, d] }, splits: { train: 64, validation: 40 } }
student: { kind: resnet, width: 32, stages: 2, blocks: 1 }
training: { epochs: 1, batchSize: 32, optimizer: { kind: adamw, learningRate: 0.01 } }
compress: [{ kind: exits, after: [1], places: 2, maxDrop: 0.1 }]
export: { int8: { maxDrop: 1, maxBytes: ${maxBytes} } }
`);
  const result = await train(bounded, place.options('bounded'));
  const precisions = result.studentInt8?.layers?.map(({ precision }) => precision);
  expect(precisions).toContain('q4');
  expect(precisions).toContain('int8');
  const sizeOf = (file: string) => statSync(`${out}/student/onnx/${file}`).size;
  const [one, two] = [sizeOf('exits/part_1_quantized.onnx'), sizeOf('exits/part_2_quantized.onnx')];
  const largest = Math.max(sizeOf('model_quantized.onnx'), one + two);
  expect(largest).toBeLessThanOrEqual(maxBytes);
  expect(largest).toBeGreaterThan(0.8 * maxBytes);
  await answerAlike(out, 'onnx/model_quantized.onnx');
});

test('heads that are trained afterwards leave the network as it was, and may ship without parts', {
  timeout: patience(60),
}, async () => {
  const result = await train(recipe(', train: heads, epochs: 1, parts: false'), place.options('heads'));
  const before = result.baselines?.find(({ name }) => name === 'to-the-end');
  expect(result.compression?.[0]).toMatchObject({ kind: 'exits', phases: ['after'] });
  expect(before?.result.accuracy).toBe(result.exits?.model.test.toTheEnd);
  const [{ before: first, after } = {}] = result.compression ?? [];
  expect(after?.validation?.loss).toBeCloseTo(first?.validation?.loss as number, 5);
  expect(existsSync(place.path('runs', 'heads', 'student', 'exits.json'))).toBe(false);
  await expect(openEarlyExits(place.path('runs', 'heads', 'student'))).rejects.toThrow();
});

test('later transforms keep the exits and train them on; a run that is killed on its way ends in the same bits', {
  timeout: patience(90),
}, async () => {
  const listed = recipe(
    '',
    ', { kind: prune, amount: 0.25, epochs: 1 }, { kind: group, blockEpochs: 1, epochs: 1 }, { kind: qat, epochs: 1 }',
  );
  const [whole, killed] = [place.options('later'), place.options('killed')];
  const result = await train(listed, whole);
  const [, prune, group, qat] = result.compression ?? [];
  expect(prune?.after?.parameters).toBeLessThan(0.8 * (prune?.before?.parameters as number));
  expect(group?.after?.parameters).toBeLessThan(0.8 * (group?.before?.parameters as number));
  expect(qat?.summary).toMatch(/^\d+ layers trained with the roundings/);
  for (const { exits, test } of [result.exits!.model, result.exits!.quantized!]) {
    expect(exits.map(({ layer }) => layer)).toEqual(['stage_1/block_1', undefined]);
    expect(test.samples).toBe(60);
  }
  const ways = readFileSync(`${whole.out}/metrics.jsonl`, 'utf8')
    .split('\n')
    .filter((line) => line.includes('loss/exit_1/self'));
  expect(ways.some((line) => line.includes('"stage":"train"'))).toBe(true);
  expect(ways.some((line) => line.includes('"stage":"compress"'))).toBe(true);
  const { nodes } = readModelFile(`${whole.out}/student/onnx/model.onnx`);
  expect(nodes.map(({ opType }) => opType)).toContain('If');

  await cutOff(listed, killed, 'training', 12);
  await cutOff(listed, killed, 'qat quantised', 3);
  const steps = await goOn(listed, killed, 'qat quantised');
  expect(steps[0]).toBeGreaterThan(1);
  for (const file of ['onnx/model.onnx', 'onnx/model_quantized.onnx', 'exits.json'])
    expect(fileHash(`${killed.out}/student/${file}`)).toBe(fileHash(`${whole.out}/student/${file}`));
});

test('an exit on a smaller image shares its weights with later groups of channels', {
  timeout: patience(60),
}, async () => {
  const small = recipe(', resolution: 2', ', { kind: group, blockEpochs: 1, epochs: 1 }');
  const result = await train(small, place.options('small'));
  expect(result.compression?.[1]?.summary).toMatch(/^8 convolutions in 2 groups each/);
  expect(result.exits?.model.exits.map(({ layer }) => layer)).toEqual([
    'the image at 4x4',
    'stage_1/block_1',
    undefined,
  ]);
});

test('a layer that there is not is refused with its name before anything is trained', async () => {
  const wrong = recipe('').compress?.map((item) => ({ ...item, after: ['stage_9/block_1'] }));
  const run = train({ ...recipe(''), compress: wrong as never }, place.options('refused'));
  await expect(run).rejects.toThrow(/the student has no layer stage_9\/block_1/);
  expect(existsSync(place.path('runs', 'refused', 'checkpoints', 'train'))).toBe(false);
});

test('exits of what does not answer with one class are refused with their key', () => {
  const wrong = (compress: string, outputs: string) => () =>
    parseRecipe(`
name: wrong
task: text-classification
data: { source: { kind: jsonl, path: data.jsonl } }
outputs: ${outputs}
student: { kind: text-attention, layers: 2 }
compress: ${compress}
`);
  expect(wrong('[{ kind: exits }]', '{ score: { target: number, field: score } }')).toThrow(
    /exits are for one output that answers with a class \(target class\), and this recipe has score \(target number\)/,
  );
  const one = '{ logits: { target: class, field: label } }';
  expect(wrong('[{ kind: exits }, { kind: exits }]', one)).toThrow(/a student has exits once/);
  expect(wrong('[{ kind: exits, weight: 0, self: 0 }]', one)).toThrow(/nothing would teach the exits/);
});
