import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64, type Tensor, tensor, zeros } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { SessionOptions } from './engine.ts';
import { identityModel } from './identity-model.ts';
import { createNodeEngine } from './node.ts';

const engine = createNodeEngine({ threads: 2 });

/** A session that goes through onnxruntime-node, and one through the C API: they behave alike. */
const BINDINGS: [string, SessionOptions][] = [
  ['onnxruntime-node', {}],
  ['the C API', { largeFetches: true }],
];

/** y = x W, z = 2 x, over x [batch, 3]. */
function smallModel(): Uint8Array {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 3]);
  g.output(g.matMul(x, g.initializer('w', float32([1, 2, 3, 4, 5, 6], [3, 2]))), 'y');
  g.output(g.mul(x, 2), 'z');
  return writeModel(g.build());
}

describe('the engine of Node', () => {
  it('says what it is', () => {
    expect(engine.title).toMatch(/^onnxruntime-node \d+\.\d+\.\d+, cpu$/);
    expect(engine.provider).toBe('cpu');
  });

  it('loads a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'limbeck-engine-'));
    try {
      writeFileSync(join(folder, 'model.onnx'), smallModel());
      const session = await engine.load(join(folder, 'model.onnx'));
      const { z } = await session.run({ x: float32([1, 2, 3], [1, 3]) }, { z: null });
      expect(z).toEqual(float32([2, 4, 6], [1, 3]));
      await session.release();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses providers that this build does not have', () => {
    expect(() => createNodeEngine({ provider: 'wasm' })).toThrow(
      expect.objectContaining({ code: 'engine.provider', where: expect.stringContaining('cpu') }),
    );
  });

  it('runs on cuda, or says what cuda lacks', async () => {
    let cuda: ReturnType<typeof createNodeEngine>;
    try {
      cuda = createNodeEngine({ provider: 'cuda' });
    } catch (error) {
      expect(error).toMatchObject({ code: 'engine.provider' });
      return;
    }
    const loaded = await cuda.load(identityModel()).catch((error: unknown) => error);
    if (loaded instanceof Error) expect(loaded).toMatchObject({ code: 'engine.provider' });
    else expect(loaded).toMatchObject({ inputNames: ['x'] });
  });
});

describe.each(BINDINGS)('a session of %s', (_, options) => {
  it('runs a model, all of its outputs or those that are asked for', async () => {
    const session = await engine.load(smallModel(), options);
    expect(session.inputNames).toEqual(['x']);
    expect(session.outputNames).toEqual(['y', 'z']);
    const x = float32([1, 0, 0, 0, 1, 1], [2, 3]);
    const all = await session.run({ x });
    expect(all.y).toEqual(float32([1, 2, 8, 10], [2, 2]));
    expect(all.z).toEqual(float32([2, 0, 0, 0, 2, 2], [2, 3]));
    expect(Object.keys(await session.run({ x }, { z: null }))).toEqual(['z']);
    await session.release();
    await expect(session.run({ x })).rejects.toThrow('released');
  });

  it('reads feeds and writes fetches in place, also in the middle of a buffer', async () => {
    const session = await engine.load(smallModel(), options);
    const memory = new Float32Array(32);
    const x = tensor('float32', [2, 3], memory.subarray(1, 7));
    const y = tensor('float32', [2, 2], memory.subarray(10, 14));
    x.data.fill(1 as never);
    const first = await session.run({ x }, { y, z: null });
    expect(first.y).toBe(y);
    expect([...memory.subarray(9, 15)]).toEqual([0, 9, 12, 9, 12, 0]);
    memory[1] = 2;
    await session.run({ x }, { y });
    expect([...memory.subarray(9, 15)]).toEqual([0, 10, 14, 9, 12, 0]);
    expect(first.z).toEqual(float32([2, 2, 2, 2, 2, 2], [2, 3]));
    await session.release();
  });

  it('refuses to write an output over an input', async () => {
    const session = await engine.load(smallModel(), options);
    const memory = new Float32Array(8);
    const x = tensor('float32', [1, 3], memory.subarray(0, 3));
    const overlapping = tensor('float32', [1, 2], memory.subarray(2, 4));
    const beside = tensor('float32', [1, 2], memory.subarray(3, 5));
    await expect(session.run({ x }, { y: overlapping })).rejects.toThrow("over the memory of input 'x'");
    await session.run({ x }, { y: beside });
    await session.release();
  });

  it('keeps float16 as words, bool as bytes, int64 as BigInts, and takes scalars and empty tensors', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['n']);
    const flag = g.input('flag', 'bool', []);
    g.output(g.cast(x, 'float16'), 'half');
    g.output(g.where(flag, x, g.neg(x)), 'chosen');
    g.output(g.greater(x, 1), 'large');
    g.output(g.shapeOf(x), 'shape');
    const session = await engine.load(writeModel(g.build()), options);
    const flagged = (value: number): Tensor => tensor('bool', [], Uint8Array.of(value));
    expect(await session.run({ x: float32([1, -2]), flag: flagged(0) })).toEqual({
      half: tensor('float16', [2], Uint16Array.of(0x3c00, 0xc000)),
      chosen: float32([-1, 2]),
      large: tensor('bool', [2], Uint8Array.of(0, 0)),
      shape: int64([2]),
    });
    const half = zeros('float16', [1]);
    await session.run({ x: float32([0.5]), flag: flagged(1) }, { half });
    expect([...(half.data as Uint16Array)]).toEqual([0x3800]);
    expect((await session.run({ x: float32([]), flag: flagged(1) })).chosen).toEqual(float32([]));
    await session.release();
  });

  it('names the model, the node and the shapes when a run fails', async () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', ['n']);
    const b = g.input('b', 'float32', ['n']);
    g.output(g.op('Add', [a, b], {}, { name: 'the_sum' }), 'y');
    const session = await engine.load(writeModel(g.build()), { title: 'the student', ...options });
    await expect(session.run({ a: float32([1, 2]), b: float32([1, 2, 3]) })).rejects.toMatchObject({
      code: 'engine.run',
      message: expect.stringContaining('running the student failed'),
      where: "node 'the_sum' (Add)",
    });
    await expect(session.run({ a: float32([1, 2]) })).rejects.toMatchObject({
      code: 'engine.run',
      message: "the student needs input 'b', which was not given",
      where: 'given: a',
    });
    await expect(session.run({ a: float32([1]), b: float32([1]), c: float32([1]) })).rejects.toMatchObject({
      message: "the student has no input named 'c'",
    });
    await expect(session.run({ a: float32([1]), b: float32([1]) }, { z: null })).rejects.toMatchObject({
      message: "the student has no output named 'z'",
      where: 'its outputs: y',
    });
    await expect(session.run({ a: int64([1]), b: float32([1]) })).rejects.toMatchObject({
      code: 'engine.run',
    });
    await session.release();
  });

  it('tells why a model does not load', async () => {
    const model = smallModel();
    for (const bytes of [new Uint8Array(0), model.subarray(0, model.length - 20), Uint8Array.of(1, 2, 3)]) {
      await expect(engine.load(bytes, { title: 'x.onnx', ...options })).rejects.toMatchObject({
        code: 'engine.load',
        message: expect.stringContaining('ONNX Runtime cannot load x.onnx'),
      });
    }
    // The second byte of this model is the version of its format, the last one that of its operators.
    const [newFormat, newOperators] = [identityModel(), identityModel()];
    newFormat[1] = 99;
    newOperators[newOperators.length - 1] = 99;
    for (const [bytes, version] of [
      [newFormat, 'IR version 99'],
      [newOperators, 'opset 99 of ai.onnx'],
    ] as const) {
      await expect(engine.load(bytes, { title: 'x.onnx', ...options })).rejects.toMatchObject({
        message: `ONNX Runtime cannot load x.onnx: it is of ${version}`,
        remedy: expect.stringMatching(/^Export it with (IR version|opset) \d+ at most/),
      });
    }
    await expect(engine.load('no-such.onnx', options)).rejects.toMatchObject({
      code: 'engine.load',
      where: 'no-such.onnx',
    });
  });

  it('writes a profile of the operators', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'limbeck-engine-'));
    try {
      const session = await engine.load(smallModel(), { profile: join(folder, 'profile'), ...options });
      await session.run({ x: float32([1, 2, 3], [1, 3]) });
      await session.release();
      const file = readdirSync(folder).find((name) => name.startsWith('profile')) as string;
      expect(readFileSync(join(folder, file), 'utf8')).toContain('"op_name" : "MatMul"');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
