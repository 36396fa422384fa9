import { expect, test } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { float } from '../onnx/attributes.ts';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { collectRanges, type Feeds } from './calibrate.ts';
import { shiftsOfInt8, withCorrectedBiases } from './correct-biases.ts';
import { quantizeStatic, valuesToCalibrate } from './quantize-static.ts';

const engine = createNodeEngine({ threads: 1 });
/** Weights of 3 bits with one scale: rounding moves means by much. */
const coarse = { weightBits: 3, weightScales: 'tensor' } as const;

/** Numbers of 0 to 1, whose mean is not 0, or around 0. */
function random(seed: string, dims: readonly number[], from: 0 | -1 = 0): Tensor {
  const stream = randomStream(5, seed);
  const count = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    Float32Array.from({ length: count }, () => from + (1 - from) * stream.uniform()),
    dims,
  );
}

async function answers(graph: Graph, feeds: Feeds): Promise<Tensor> {
  const session = await engine.load(writeModel(graph));
  try {
    return (await session.run(feeds)).y as Tensor;
  } finally {
    await session.release();
  }
}

/** The mean of each of the last (of maps the second) axis' channels. */
function means({ data, dims }: Tensor): number[] {
  const channels = dims[1] as number;
  const inner = data.length / ((dims[0] as number) * channels);
  return Array.from({ length: channels }, (_, channel) => {
    const own = Array.from(data as Float32Array).filter(
      (_, i) => Math.floor(i / inner) % channels === channel,
    );
    return own.reduce((sum, value) => sum + value, 0) / own.length;
  });
}

/** How far the means of a graph's channels are shifted by int8, without and with corrected biases. */
async function shifted(
  graph: Graph,
  feeds: Feeds,
  mask?: string,
): Promise<[plain: number, corrected: number]> {
  const ranges = await collectRanges(graph, valuesToCalibrate(graph, coarse), engine, [feeds]);
  const shifts = await shiftsOfInt8(graph, ranges, engine, [feeds], { ...coarse, ...(mask && { mask }) });
  const exact = means(await answers(graph, feeds));
  const off = async (own: Graph) => {
    const found = means(await answers(quantizeStatic(own, ranges, coarse), feeds));
    return Math.max(...found.map((mean, i) => Math.abs(mean - (exact[i] as number))));
  };
  return [await off(graph), await off(withCorrectedBiases(graph, shifts))];
}

test('of convolutions the mean of each channel is put back, through a Relu and grouped layers', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 4, 6, 6]);
  const w = g.initializer('first', random('first', [8, 4, 3, 3], -1));
  const b = g.initializer('first/bias', random('first/bias', [8]));
  const inner = g.relu(g.op('Conv', [x, w, b], { pads: [1, 1, 1, 1] }));
  const second = g.initializer('second', random('second', [6, 4, 1, 1], -1));
  g.output(g.op('Conv', [inner, second, g.initializer('second/bias', random('s', [6]))], { group: 2 }), 'y');
  const [plain, corrected] = await shifted(g.build(), { x: random('x', [32, 4, 6, 6]) });
  expect(plain).toBeGreaterThan(0.1);
  // What the Relu makes of the first layer's roundings is left.
  expect(corrected).toBeLessThan(plain / 4);
});

test('of products the mean over rows is put back, whatever form their biases have; a shared bias becomes two', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 8]);
  const shared = g.initializer('shared', random('shared', [8]));
  const weights = (name: string) => g.initializer(name, random(name, [8, 8], -1));
  const first = g.add(g.matMul(x, weights('first')), shared);
  const second = g.op('Gemm', [first, weights('second'), shared], { beta: float(0.5) });
  g.output(second, 'y');
  const graph = g.build();
  const [plain, corrected] = await shifted(graph, { x: random('x', [64, 8]) });
  expect(plain).toBeGreaterThan(0.1);
  expect(corrected).toBeLessThan(0.02 * plain);
});

test('what the mask leaves out does not count, and layers that stay in float32 keep their biases', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 4, 8]);
  g.input('mask', 'int64', ['batch', 4]);
  const w = g.initializer('w', random('w', [8, 5], -1));
  g.output(g.add(g.matMul(x, w), g.initializer('b', random('b', [5]))), 'y');
  const graph = g.build();
  const whole = random('x', [2, 4, 8]);
  const ranges = await collectRanges(graph, valuesToCalibrate(graph, coarse), engine, [
    { x: whole, ...maskOf(8) },
  ]);
  const shifts = (given: Tensor, ones: number) =>
    shiftsOfInt8(graph, ranges, engine, [{ x: given, ...maskOf(ones) }], { ...coarse, mask: 'mask' });
  const own = await shifts(whole, 6);
  const other = {
    ...whole,
    data: (whole.data as Float32Array).map((value, i) => (i >= 48 ? 1 - value : value)),
  };
  expect(await shifts(other, 6)).toEqual(own);
  expect(await shifts(other, 8)).not.toEqual(own);
  expect(withCorrectedBiases(graph, own, ['w'])).toBe(graph);
  const [, corrected] =
    [...withCorrectedBiases(graph, own).initializers].find(([{ name }]) => name === 'b') ?? [];
  expect(corrected?.data[0]).toBeCloseTo(
    (random('b', [5]).data[0] as number) - (own.get('w')?.[0] as number),
    6,
  );
});

/** 8 places, of which the first ones count. */
function maskOf(ones: number): Feeds {
  return {
    mask: {
      type: 'int64',
      dims: [2, 4],
      data: BigInt64Array.from({ length: 8 }, (_, i) => BigInt(i < ones ? 1 : 0)),
    },
  };
}
