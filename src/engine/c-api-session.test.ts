import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64, type Tensor, zeros } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import type { Session } from './engine.ts';
import { createNodeEngine } from './node.ts';
import { nativeOrt } from './ort-c-api.ts';

// What both bindings do alike is tested in node.test.ts.

const native = createNodeEngine({ threads: 2 });
const binding = createNodeEngine({ threads: 2, cApi: false });

/** y = relu(x W) + x, over x [batch, 64]. */
function layer(): Uint8Array {
  const random = randomStream(1, 'c-api');
  const weights = Float32Array.from({ length: 64 * 64 }, () => random.normal());
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 64]);
  g.output(g.add(g.relu(g.matMul(x, g.initializer('w', float32(weights, [64, 64])))), x), 'y');
  return writeModel(g.build());
}

describe('sessions through the C API', () => {
  it('finds the library that onnxruntime-node brought', () => {
    expect(nativeOrt()).toBeDefined();
  });

  it('gives the bits of onnxruntime-node', async () => {
    const random = randomStream(2, 'c-api');
    const x = float32(
      Float32Array.from({ length: 256 * 64 }, () => random.normal()),
      [256, 64],
    );
    const outputs: Tensor[] = [];
    for (const engine of [native, binding]) {
      const session = await engine.load(layer(), { largeFetches: true });
      const y = zeros('float32', [256, 64]);
      await session.run({ x }, { y });
      outputs.push(y, (await session.run({ x })).y as Tensor);
      await session.release();
    }
    for (const y of outputs) expect(y).toEqual(outputs[0]);
  });

  it('makes several runs at once, of the same bits, and waits for them before it is released', async () => {
    const alone = await native.load(layer(), { largeFetches: true });
    const session = await native.load(layer(), { parallel: true });
    expect(session.runsAtOnce).toBe(2);
    const random = randomStream(3, 'c-api');
    const inputs = Array.from({ length: 8 }, () =>
      float32(
        Float32Array.from({ length: 128 * 64 }, () => random.normal()),
        [128, 64],
      ),
    );
    // Nothing but the run holds its input: the copy is garbage to everybody else.
    const together = inputs.map(({ data }) =>
      session.run({ x: float32((data as Float32Array).slice(), [128, 64]) }),
    );
    const refused = session.run({ x: float32(new Float32Array(63), [1, 63]) });
    const ends: string[] = [];
    for (const running of together) void running.then(() => ends.push('run'));
    await expect(refused).rejects.toMatchObject({ code: 'engine.run' });
    const released = session.release().then(() => ends.push('released'));
    for (const [i, running] of together.entries())
      expect(await running).toEqual(await alone.run({ x: inputs[i] as Tensor }));
    await released;
    expect(ends).toEqual([...inputs.map(() => 'run'), 'released']);
    await alone.release();
  });

  it('makes one run at a time where there is one thread', async () => {
    const session = await createNodeEngine({ threads: 1 }).load(layer(), { parallel: true });
    expect(session.runsAtOnce).toBeUndefined();
    await session.release();
  });

  it('refuses data that is not what its type and shape say, before ONNX Runtime sees an address', async () => {
    const session = await native.load(layer(), { largeFetches: true });
    const short: Tensor = { type: 'float32', dims: [2, 64], data: new Float32Array(64) };
    await expect(session.run({ x: short })).rejects.toThrow("'x' says float32[2,64], and its data is");
    await expect(session.run({ x: zeros('float32', [2, 64]) }, { y: short })).rejects.toThrow("'y' says");
    const wide: Tensor = { type: 'float32', dims: [1, 64], data: new Float64Array(32) };
    await expect(session.run({ x: wide })).rejects.toThrow('Float64Array of 32');
    const words: Tensor = { type: 'string', dims: [1], data: ['a'] };
    await expect(session.run({ x: words })).rejects.toThrow('strings');
    await session.release();
  });

  it('refuses a target of another shape than the output has', async () => {
    const session = await native.load(layer(), { largeFetches: true });
    const x = zeros('float32', [2, 64]);
    await expect(session.run({ x }, { y: zeros('float32', [3, 64]) })).rejects.toMatchObject({
      code: 'engine.run',
    });
    await session.release();
  });

  it('gives the same bits where sessions share memory, also after the last of them was released', async () => {
    const x = float32(
      Float32Array.from({ length: 256 * 64 }, (_, i) => Math.sin(i)),
      [256, 64],
    );
    const alone = await native.load(layer(), { largeFetches: true });
    const expected = await alone.run({ x });
    await alone.release();
    for (let round = 0; round < 2; round++) {
      const options = { largeFetches: true, sharedMemory: true };
      const [first, second] = [await native.load(layer(), options), await native.load(layer(), options)];
      // A model that does not load must not keep the memory of those that did.
      await expect(native.load(new Uint8Array(8), options)).rejects.toMatchObject({ code: 'engine.load' });
      for (const session of [first, second, first]) expect(await session.run({ x })).toEqual(expected);
      await first.release();
      expect(await second.run({ x })).toEqual(expected);
      await second.release();
    }
  });

  it('takes the memory of one session where several share it, and gives it back with the last', async () => {
    const rows = 200_000; // 51 MB for each value
    const x = zeros('float32', [rows, 64]);
    const y = zeros('float32', [rows, 64]);
    const held = () => process.memoryUsage().rss;
    const sessions: Session[] = [];
    const grown: number[] = [];
    const before = held();
    for (let i = 0; i < 4; i++) {
      const session = await native.load(layer(), { largeFetches: true, sharedMemory: true });
      await session.run({ x }, { y });
      sessions.push(session);
      grown.push(held() - before);
    }
    expect((grown[3] as number) - (grown[0] as number)).toBeLessThan(40e6);
    expect(grown[0]).toBeGreaterThan(40e6);
    for (const session of sessions) await session.release();
    expect(held() - before).toBeLessThan((grown[0] as number) / 2);
  });

  it('does not run what has been released meanwhile', async () => {
    const session = await native.load(layer(), { largeFetches: true });
    const running = session.run({ x: zeros('float32', [2, 64]) });
    await session.release();
    await expect(running).rejects.toThrow('released');
  });

  it('reads small arrays where they are, also after the heap has been moved about', async () => {
    const g = new GraphBuilder();
    const n = g.input('n', 'int64', []);
    g.output(g.add(n, 1), 'y');
    const session = await native.load(writeModel(g.build()), { largeFetches: true });
    const numbers = Array.from({ length: 1000 }, (_, i) => int64([i], []));
    for (const [i, n] of numbers.entries()) {
      const garbage = Array.from({ length: 100 }, () => new Float32Array(8));
      const { y } = await session.run({ n });
      expect((y as Tensor).data).toEqual(BigInt64Array.of(BigInt(i + 1)));
      expect(garbage).toHaveLength(100);
    }
    await session.release();
  });

  it('does not keep what it was given: memory stays level over many runs', async () => {
    const session = await native.load(layer(), { largeFetches: true });
    const run = async (times: number) => {
      for (let i = 0; i < times; i++) await session.run({ x: zeros('float32', [512, 64]) });
      return process.memoryUsage().rss;
    };
    const before = await run(300);
    // 1000 runs read and write 262 MB: a quarter of it kept would be seen.
    expect((await run(1000)) - before).toBeLessThan(60e6);
    await session.release();
  });
});
