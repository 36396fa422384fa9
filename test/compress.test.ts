import { existsSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  definePlugin,
  defineTransform,
  exportStudent,
  parseRecipe,
  plan,
  train,
  usePlugin,
  z,
} from '../src/index.ts';
import { readModelFile } from '../src/onnx/node-files.ts';
import { writeModel } from '../src/onnx/write-model.ts';
import { fileHash } from './support/file-hash.ts';
import { patience } from './support/patience.ts';
import { writeQuarters } from './support/small-pictures.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();
const seen: string[] = [];

/** What somebody outside of the package writes: it draws the head's weights towards 0, and asks to see each phase. */
const watching = defineTransform({
  kind: 'watching',
  title: 'watching',
  options: z.object({ weight: z.number().default(0.01) }).describe('Watches.'),
  before(student, _options, { where, outputs }) {
    seen.push(`before ${where} ${outputs.join()}`);
    return student;
  },
  during(student, { weight }) {
    seen.push('during');
    const name = student.parameters.find((one) => one.endsWith('weight')) as string;
    const build = (g: Parameters<typeof sum>[0], inputs: { student(name: string): unknown }) =>
      sum(g, inputs.student(name));
    return { student, terms: [{ name: 'watched', weight, build: build as never }] };
  },
});
const sum = (g: { reduceSumSquare: (x: never, options: object) => unknown }, x: unknown) =>
  g.reduceSumSquare(x as never, { keepDims: false });

const recipe = (compress: string) =>
  parseRecipe(`
name: compressed
task: image-classification
data: { source: { kind: idx, path: pictures, classes: [a, b, c, d] }, splits: { validation: 40 } }
student: { kind: resnet, width: 8, stages: 2, blocks: 1 }
training: { epochs: 3, batchSize: 32, optimizer: { kind: adamw, learningRate: 0.01 }, evaluateEvery: 9, earlyStopping: false }
export: { int8: false }
${compress}
`);

beforeAll(() => {
  usePlugin(definePlugin({ name: 'watching', transforms: [watching] }));
  writeQuarters(place.path('pictures'), { train: 200, test: 60 });
});
afterAll(() => place.remove());

test('transforms of a list are applied before, during and after training; the smaller student ships, and is found again', {
  timeout: patience(60),
}, async () => {
  const listed = recipe(`compress:
  - { kind: watching }
  - { kind: low-rank, keep: 0.5, epochs: 0 }
  - { kind: prune, amount: 0.25, criterion: taylor, epochs: 1 }
  - { kind: group, blockEpochs: 1, epochs: 1 }`);
  const result = await train(listed, place.options('run'));
  expect(seen).toEqual(expect.arrayContaining(['before compress[0] logits', 'during']));
  const [first, second, third, fourth] = result.compression ?? [];
  expect(third).toMatchObject({ kind: 'prune', phases: ['after'] });
  expect(third?.before?.parameters).toBe(second?.after?.parameters);
  expect(third?.rounds).toHaveLength(1);
  expect(fourth).toMatchObject({ kind: 'group', phases: ['after'] });
  expect(fourth?.after?.multiplications).toBeLessThan(0.8 * (third?.after?.multiplications as number));
  expect(third?.after?.parameters).toBeLessThan(0.8 * (third?.before?.parameters as number));
  expect(first).toMatchObject({ kind: 'watching', phases: ['before', 'during'] });
  expect(second).toMatchObject({ kind: 'low-rank', phases: ['after'] });
  expect(second?.after?.parameters).toBeLessThan(second?.before?.parameters as number);
  expect(second?.after?.multiplications).toBeLessThan(second?.before?.multiplications as number);
  expect(result.student.parameters).toBeLessThan(second?.before?.parameters as number);
  expect(result.seconds.compress).toBeGreaterThan(0);
  const metrics = readFileSync(place.path('runs', 'run', 'metrics.jsonl'), 'utf8');
  expect(metrics).toContain('"stage":"compress"');
  expect(metrics).toContain('loss/watched');

  const file = place.path('runs', 'run', 'student', 'onnx', 'model.onnx');
  const shipped = fileHash(file);
  // What is lost is made again from what the run kept, in the same bits.
  rmSync(place.path('runs', 'run', 'student'), { recursive: true });
  await exportStudent(place.path('runs', 'run'), {});
  expect(fileHash(file)).toBe(shipped);
  rmSync(place.path('runs', 'run', 'checkpoints', 'compress', 'student.onnx'));
  rmSync(place.path('runs', 'run', 'result.json'));
  await train(listed, place.options('run'));
  expect(fileHash(file)).toBe(shipped);
  const stages = (await plan(listed, place.options('run'))).stages;
  expect(stages.map(({ stage }) => stage)).toContain('compress');
});

test('a recipe without the key has no such stage and no other student', {
  timeout: patience(60),
}, async () => {
  const result = await train(recipe(''), place.options('plain'));
  expect(result.compression).toBeUndefined();
  expect(existsSync(place.path('runs', 'plain', 'uncompressed'))).toBe(false);
  const graph = readModelFile(place.path('runs', 'plain', 'student', 'onnx', 'model.onnx'));
  expect(writeModel(graph).length).toBeGreaterThan(0);
  expect([...graph.initializers.keys()].some(({ name }) => name.endsWith('/first'))).toBe(false);
});

test('what cannot work is refused before anything is trained, with the name of the layer', async () => {
  const listed = recipe('compress: [{ kind: prune, amount: 0.5, epochs: 0 }, { kind: group, groups: 8 }]');
  await expect(train(listed, place.options('refused'))).rejects.toThrow(
    /8 groups do not divide the 4 input and 4 output channels of stage_1/,
  );
  expect(existsSync(place.path('runs', 'refused', 'checkpoints', 'train'))).toBe(false);
});

test('transforms that there are not, and a continual training with some, are refused with their key', () => {
  expect(() => recipe('compress: [{ kind: shrink }]')).toThrow(/compress/);
  expect(() => recipe('compress: [{ kind: low-rank }]\ncontinual: { tasks: 2 }')).toThrow(
    /a continual training compresses nothing/,
  );
});
