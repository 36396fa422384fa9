import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { evaluate, exportStudent, parseRecipe, train } from '../src/index.ts';
import { readModelFile } from '../src/onnx/node-files.ts';
import { cutOff, goOn } from './support/cut-off.ts';
import { fileHash } from './support/file-hash.ts';
import { patience } from './support/patience.ts';
import { writeQuarters } from './support/small-pictures.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();

const recipe = (compress: string, int8: string, checkpointEvery = 30) =>
  parseRecipe(`
name: rounded
task: image-classification
data: { source: { kind: idx, path: pictures, classes: [a, b, c, d] }, splits: { validation: 40 } }
student: { kind: resnet, width: 8, stages: 2, blocks: 1 }
training: { epochs: 2, batchSize: 32, checkpointEvery: ${checkpointEvery}, optimizer: { kind: adamw, learningRate: 0.01 }, evaluateEvery: 9, earlyStopping: false }
export: { int8: ${int8} }
${compress && `compress: [${compress}]`}
`);

beforeAll(() => {
  writeQuarters(place.path('pictures'), { train: 160, test: 60 });
});
afterAll(() => place.remove());

test('a student is trained with the roundings of the int8 file that ships, beside what it was without; a run that goes on ends in the same bits', {
  timeout: patience(60),
}, async () => {
  const listed = recipe(
    '{ kind: qat, epochs: 1, steps: learnt, keep: 1, equalise: true }',
    '{ weightBits: 4, maxDrop: 1 }',
  );
  const result = await train(listed, place.options('run'));
  const [applied] = result.compression ?? [];
  expect(applied?.summary).toMatch(
    /^\d+ layers trained with the roundings of int8 \(weights of 4 bits, a scale for each channel\)$/,
  );
  expect(result.baselines?.map(({ name }) => name)).toEqual(['uncompressed', 'uncompressed-int8']);
  // What the training measured with rounded numbers is what the file answers.
  const student = place.path('runs', 'run', 'student', 'onnx');
  const shipped = fileHash(`${student}/model_quantized.onnx`);
  rmSync(place.path('runs', 'run', 'student'), { recursive: true });
  await exportStudent(place.path('runs', 'run'), {});
  expect(fileHash(`${student}/model_quantized.onnx`)).toBe(shipped);
  rmSync(place.path('runs', 'run', 'checkpoints', 'compress', 'student.onnx'));
  rmSync(place.path('runs', 'run', 'result.json'));
  await train(listed, place.options('run'));
  expect(fileHash(`${student}/model_quantized.onnx`)).toBe(shipped);
});

test('a student is trained with the roundings of the 4-bit file that ships, which has the scales of the training', {
  timeout: patience(60),
}, async () => {
  const result = await train(
    recipe('{ kind: qat, bits: 4, block: 32, epochs: 1 }', 'false, q4: { maxDrop: 1 }'),
    place.options('four-bit'),
  );
  expect(result.compression?.[0]?.summary).toMatch(/^\d+ layers trained with weights of 4 bits/);
  expect(result.baselines?.map(({ name }) => name)).toEqual(['uncompressed', 'uncompressed-q4']);
  const file = (name: string) => readModelFile(place.path('runs', 'four-bit', 'student', 'onnx', name));
  const scales = [...file('model_q4.onnx').initializers].filter(([{ name }]) => name.endsWith('_q4_scale'));
  expect(scales.length).toBeGreaterThan(1);
  const weights = new Map([...file('model.onnx').initializers].map(([{ name }, { data }]) => [name, data]));
  for (const [{ name }, { data }] of scales) {
    const own = weights.get(name.replace(/_q4_scale$/, '')) as Float32Array;
    const most = own.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    expect(Math.max(...(data as Float32Array))).toBeCloseTo(most / 7, 6);
  }
});

test('the 4-bit file that ships has the scales that its training learnt, also when it is written again', {
  timeout: patience(60),
}, async () => {
  const result = await train(
    recipe(
      '{ kind: qat, bits: 4, block: 32, epochs: 1, steps: learnt, learningRate: 1 }',
      'false, q4: { maxDrop: 1 }',
    ),
    place.options('learnt-blocks'),
  );
  expect(result.compression?.[0]?.summary).toMatch(/weights of 4 bits \(a learnt scale for 32 at most\)$/);
  const folder = place.path('runs', 'learnt-blocks');
  const file = `${folder}/student/onnx/model_q4.onnx`;
  // What the training measured is what the file answers.
  const { accuracy } = await evaluate(folder, { model: file, split: 'validation' });
  expect(accuracy).toBe(result.compression?.[0]?.rounds?.[0]?.validation.accuracy);
  const shipped = fileHash(file);
  rmSync(`${folder}/student`, { recursive: true });
  await exportStudent(folder, {});
  expect(fileHash(file)).toBe(shipped);
});

test('a training with roundings that is killed on its way goes on from its checkpoint, to the same bits', {
  timeout: patience(60),
}, async () => {
  const observed = recipe('{ kind: qat, epochs: 2 }', '{ maxDrop: 1 }', 0.001);
  const [whole, killed] = [place.options('whole'), place.options('killed')];
  await train(observed, whole);
  await cutOff(observed, killed, 'qat quantised', 4);
  const steps = await goOn(observed, killed, 'qat quantised');
  expect(steps[0]).toBeGreaterThan(1);
  for (const file of ['model.onnx', 'model_quantized.onnx'])
    expect(fileHash(`${killed.out}/student/onnx/${file}`)).toBe(
      fileHash(`${whole.out}/student/onnx/${file}`),
    );
});

test('biases are corrected where the validation split finds the int8 file better; it is made again to the same bits', {
  timeout: patience(60),
}, async () => {
  const logs: string[] = [];
  const corrected = recipe('', '{ weightBits: 2, weightScales: tensor, maxDrop: 1, correctBiases: true }');
  const result = await train(
    corrected,
    place.options('corrected', { onEvent: (event) => event.type === 'log' && logs.push(event.message) }),
  );
  const { applied, gain, measure } = result.studentInt8?.biasCorrection ?? {};
  expect(measure).toBe('cross-entropy');
  // Weights of three levels shift all means.
  expect(applied).toBe(true);
  expect(gain).toBeGreaterThan(0);
  expect(logs.join()).toContain('int8: with corrected biases the cross-entropy on the validation split is');
  const file = `${place.path('runs', 'corrected')}/student/onnx/model_quantized.onnx`;
  const hash = fileHash(file);
  rmSync(place.path('runs', 'corrected', 'student'), { recursive: true });
  await exportStudent(place.path('runs', 'corrected'), {});
  expect(fileHash(file)).toBe(hash);
});

test('quantisation-aware training without an int8 file is refused, with its place', {
  timeout: patience(30),
}, async () => {
  expect(() => recipe('{ kind: qat }', 'false')).toThrow(/compress/);
  expect(() => recipe('{ kind: qat }, { kind: low-rank }', '{}')).toThrow(/last/);
  expect(() => recipe('{ kind: qat, bits: 4 }', '{}')).toThrow(/add `export.q4: true`/);
  expect(() => recipe('{ kind: qat, block: 32 }', '{}')).toThrow(/`block` is for `bits: 4`/);
  const other = '{}, q4: { block: 64, zeroPoints: true }';
  expect(() => recipe('{ kind: qat, bits: 4, block: 32 }', other)).toThrow(/export.q4.block is 64/);
  recipe('{ kind: qat, bits: 4, steps: learnt }', '{}, q4: { block: 64, expand: run }');
  expect(() => recipe('{ kind: qat }, { kind: exits, train: heads }', '{}')).toThrow(/last/);
  // These are trained with the student, wherever they are listed.
  recipe('{ kind: qat }, { kind: exits }', '{}');
});
