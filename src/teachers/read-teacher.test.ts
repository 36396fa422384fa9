import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { writeModelFile } from '../onnx/node-files.ts';
import { NEWEST_ELSEWHERE } from '../onnx/passes/upgrade-opset/upgrade-opset.ts';
import { isStored } from '../onnx/stored-tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { readTeacherFile } from './read-teacher.ts';
import { layeredModel } from './testing/layered-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'limbeck-read-teacher-'));
const path = join(folder, 'model.onnx');
beforeAll(() => writeModelFile(path, layeredModel({ layers: 1, width: 64 })));
afterAll(() => rmSync(folder, { recursive: true }));

const stored = (memory: string | undefined, free: number | undefined) => {
  const { graph, advice } = readTeacherFile(path, memory, free);
  return { weights: [...graph.initializers.values()].filter(isStored).length, advice };
};

it('reads a teacher whole where it fits twice, or where nobody tells what is free', () => {
  expect(stored(undefined, 1e9)).toEqual({ weights: 0, advice: [] });
  expect(stored(undefined, undefined)).toEqual({ weights: 0, advice: [] });
});

it('leaves the weights in the file within a bound of memory', () => {
  expect(stored('1GB', 1e9)).toEqual({ weights: 2, advice: [] });
});

it('leaves them there, and says what to do, where they are larger than what is free', () => {
  const { weights, advice } = stored(undefined, 3e5);
  expect(weights).toBe(2);
  expect(advice).toEqual([
    "the teacher's weights take 213.6 kB, and 300.0 kB of memory are free: set teacher.memory (1MB, say), and it is asked in parts that fit",
  ]);
});

it.each([
  ['', 99, 'is of opset 99', 'an opset from 7 to 24'],
  ['', 6, 'is of opset 6', 'an opset from 7 to 24'],
  ['ai.onnx.ml', 6, 'has ai.onnx.ml 6', 'ai.onnx.ml 5 at most'],
])('refuses versions of operators that are not known: %s %i', (domain, version, problem, remedy) => {
  const model = layeredModel({ layers: 1, width: 4 });
  const file = join(folder, `${domain}${version}.onnx`);
  writeModelFile(file, { ...model, opsets: new Map([...model.opsets, [domain, version]]) });
  expect(() => readTeacherFile(file)).toThrow(
    expect.objectContaining({
      code: 'model.opset',
      message: expect.stringContaining(problem),
      where: file,
      remedy: expect.stringContaining(remedy),
    }),
  );
});

it.each([...NEWEST_ELSEWHERE])('ONNX Runtime takes %s %i, and no newer one', async (domain, newest) => {
  const model = layeredModel({ layers: 1, width: 4 });
  const engine = createNodeEngine();
  const load = (version: number) =>
    engine.load(writeModel({ ...model, opsets: new Map([...model.opsets, [domain, version]]) }));
  await (await load(newest)).release();
  await expect(load(newest + 1)).rejects.toMatchObject({
    message: expect.stringContaining(`it is of opset ${newest + 1} of ${domain}`),
  });
});

it('refuses operators that no engine knows, before anything else is done', () => {
  const model = layeredModel({ layers: 1, width: 4 });
  const [first, ...others] = model.nodes;
  const custom = { ...first!, name: 'odd', domain: 'my.ops', opType: 'Frobnicate' };
  const file = join(folder, 'custom.onnx');
  writeModelFile(file, {
    ...model,
    nodes: [custom, ...others],
    opsets: new Map([...model.opsets, ['my.ops', 1]]),
  });
  expect(() => readTeacherFile(file)).toThrow(/my\.ops::Frobnicate, which ONNX Runtime does not know/);
});

it('refuses an operator that came with a later opset than the model states, with its node', () => {
  const model = layeredModel({ layers: 1, width: 4 });
  const [first, ...others] = model.nodes;
  const file = join(folder, 'later.onnx');
  const later = { ...first!, name: 'odd', opType: 'Gelu', inputs: first!.inputs.slice(0, 1) };
  writeModelFile(file, { ...model, nodes: [later, ...others], opsets: new Map([['', 17]]) });
  expect(() => readTeacherFile(file)).toThrow(
    expect.objectContaining({
      code: 'teacher.operators',
      message: 'the model does not fit its opset, 17: Gelu came with opset 20',
      where: `${file}: node 'odd' (Gelu)`,
      remedy: 'Export the model with opset 20 or later.',
    }),
  );
});
