import * as ortWeb from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../engine/engine.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { OrtModule } from '../engine/ort-session.ts';
import { createWebEngine } from '../engine/web.ts';
import { float } from '../onnx/attributes.ts';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { parameterCount } from '../onnx/parameter-count.ts';
import { readModel } from '../onnx/read-model.ts';
import { float32, int64, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import type { FourBitForm } from './blockwise.ts';
import { dequantizeBlocks, evenWidth, quantizeBlocks } from './blockwise.ts';
import { collectRanges } from './calibrate.ts';
import { fourBitEmitter } from './four-bit-weights.ts';
import { transpose } from './int8-weights.ts';
import { quantizableLayers } from './quantizable-layers.ts';
import { quantizeStatic, valuesToCalibrate } from './quantize-static.ts';
import { quantizeWeights } from './quantize-weights.ts';

const node = createNodeEngine({ threads: 1 });
const web = createWebEngine({ ort: ortWeb as unknown as OrtModule });
const FORMS: readonly FourBitForm[] = [
  { expand: 'load', block: 32, zeroPoints: false },
  { expand: 'load', block: 16, zeroPoints: true },
  { expand: 'run', block: 32, zeroPoints: false },
  { expand: 'run', block: 16, zeroPoints: true },
];

function random(seed: string, dims: readonly number[], size = 1): Tensor {
  const stream = randomStream(7, seed);
  const count = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    Float32Array.from({ length: count }, () => size * (2 * stream.uniform() - 1)),
    dims,
  );
}

/** A table, a convolution with 45 weights to an output, a product with a bias, a Gemm with factors. */
function everyKind(weights: Readonly<Record<string, Tensor>>): Graph {
  const g = new GraphBuilder();
  const ids = g.input('ids', 'int64', ['batch', 9]);
  const weight = (name: string) => g.initializer(name, weights[name] as Tensor);
  const rows = g.op('Gather', [weight('table'), ids]);
  const images = g.reshape(rows, [-1, 5, 6, 9]);
  const mapped = g.op('Conv', [images, weight('kernel'), weight('channels')], {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
  });
  const means = g.reduceMean(g.op('Relu', [mapped]), { axes: [3], keepDims: false });
  const flat = g.reshape(means, [-1, 108]);
  const product = g.add(g.matMul(flat, weight('matrix')), weight('bias'));
  g.output(
    g.op('Gemm', [product, weight('gemm'), weight('row')], { transB: 1, alpha: float(0.5), beta: float(2) }),
    'y',
  );
  return g.build();
}

const WEIGHTS = {
  table: random('table', [200, 30]),
  kernel: random('kernel', [18, 5, 3, 3]),
  channels: random('channels', [18]),
  matrix: random('matrix', [108, 40]),
  bias: random('bias', [40]),
  gemm: random('gemm', [70, 40]),
  row: random('row', [70]),
};
const FEEDS = { ids: int64([3, 1, 4, 1, 5, 9, 2, 6, 49, 0, 7, 7, 8, 30, 31, 32, 33, 34], [2, 9]) };

async function answers(graph: Graph, engine: Pick<Engine, 'load'> = node): Promise<Float32Array> {
  const session = await engine.load(writeModel(graph));
  try {
    return (await session.run(FEEDS)).y?.data as Float32Array;
  } finally {
    await session.release();
  }
}

/** The float32 graph over the numbers that 4 bits stand for. */
function rounded({ expand, block, zeroPoints }: FourBitForm): Graph {
  const fake = (
    name: keyof typeof WEIGHTS,
    [rows, columns]: readonly [number, number],
    hasOperator = true,
  ) => {
    const { data, dims } = WEIGHTS[name];
    const isTurned = dims[0] !== rows;
    const values = data as Float32Array;
    const matrix = isTurned ? transpose(values, columns, rows) : values;
    const width = expand === 'run' && hasOperator ? block : evenWidth(columns, block);
    const back = dequantizeBlocks(quantizeBlocks(matrix, [rows, columns], width, { name, zeroPoints }));
    return float32(isTurned ? transpose(back, rows, columns) : back, dims);
  };
  return everyKind({
    ...WEIGHTS,
    table: fake('table', [200, 30]),
    kernel: fake('kernel', [18, 45], false),
    matrix: fake('matrix', [40, 108]),
    gemm: fake('gemm', [70, 40]),
  });
}

const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe('weights of 4 bits', () => {
  it.each(FORMS)('answer as their formula does, in Node and in WebAssembly (%o)', async (form) => {
    const graph = readModel(writeModel(quantizeWeights(everyKind(WEIGHTS), form)));
    const expected = await answers(rounded(form));
    for (const engine of [node, web]) {
      const found = await answers(graph, engine);
      expect(largest(found.map((value, i) => value - (expected[i] as number)))).toBeLessThan(
        1e-5 * largest(expected),
      );
    }
    expect(parameterCount(graph)).toBe(parameterCount(everyKind(WEIGHTS)));
    const operators = new Set(graph.nodes.map(({ opType }) => opType));
    expect(operators.has('MatMulNBits')).toBe(form.expand === 'run');
    expect(operators.has('GatherBlockQuantized')).toBe(form.expand === 'run');
    expect(writeModel(graph).length).toBeLessThan(0.45 * writeModel(everyKind(WEIGHTS)).length);
  });

  it('leave layers alone that would not become smaller, and those that are excluded', () => {
    const form = FORMS[0] as FourBitForm;
    const few = everyKind({ ...WEIGHTS, gemm: random('few', [12, 40]), row: random('row', [12]) });
    const left = (graph: Graph) => quantizableLayers(graph).map(({ name }) => name);
    expect(left(quantizeWeights(few, form))).toEqual(['gemm']);
    expect(left(quantizeWeights(few, { ...form, exclude: ['table'] }))).toEqual(['table', 'gemm']);
    expect(() => quantizeWeights(few, { ...form, exclude: ['tabel'] })).toThrow(/no layer called 'tabel'/);
  });

  it('stand among layers in int8, whose Relu and bias they take along', async () => {
    const graph = everyKind(WEIGHTS);
    const ranges = await collectRanges(graph, valuesToCalibrate(graph), node, [FEEDS]);
    const layers = ['kernel', 'matrix'];
    const mixed = quantizeStatic(graph, ranges, { fourBit: { layers, emitter: fourBitEmitter } });
    const constants = [...mixed.initializers].map(([{ name }, { type }]) => `${name} ${type}`);
    expect(constants).toEqual(
      expect.arrayContaining([
        'kernel_q4 uint8',
        'matrix_q4 uint8',
        'gemm_int8 int8',
        'table_table_int8 int8',
      ]),
    );
    const [expected, found] = [await answers(graph), await answers(mixed)];
    expect(largest(found.map((value, i) => value - (expected[i] as number)))).toBeLessThan(
      0.1 * largest(expected),
    );
    expect(mixed.nodes.filter(({ opType }) => opType === 'Relu')).toHaveLength(1);
  });

  it('name the weight that is not finite', () => {
    const broken = { ...WEIGHTS, matrix: float32(new Float32Array(108 * 40).fill(Number.NaN), [108, 40]) };
    expect(() => quantizeWeights(everyKind(broken), FORMS[0] as FourBitForm)).toThrow(
      /'matrix' holds NaN and cannot be quantised/,
    );
  });
});

describe('blocks', () => {
  const block = (values: readonly number[], zeroPoints: boolean) =>
    dequantizeBlocks(
      quantizeBlocks(Float32Array.from(values), [1, values.length], values.length, { name: 'w', zeroPoints }),
    );

  it('keep the largest weight of either sign, and zeros', () => {
    expect([...block([0, 0, 0, 0.8, 0, 0, 0, 0], false)].map((value) => value + 0)).toEqual([
      ...Float32Array.of(0, 0, 0, 0.8, 0, 0, 0, 0),
    ]);
    expect([...block([0, -0.8, 0, 0], false)].map((value) => value + 0)).toEqual([
      ...Float32Array.of(0, -0.8, 0, 0),
    ]);
    expect([...block([0, 0, 0], false)].map((value) => value + 0)).toEqual([0, 0, 0]);
  });

  it('have twice the levels for weights of one sign with a zero point', () => {
    const values = Array.from({ length: 32 }, (_, i) => i / 31);
    const error = (zeroPoints: boolean) =>
      block(values, zeroPoints).reduce((sum, value, i) => sum + (value - (values[i] as number)) ** 2, 0);
    expect(error(true)).toBeLessThan(0.4 * error(false));
  });

  it('clip the largest weight where that makes the others finer', () => {
    const values = [1, ...Array.from({ length: 31 }, (_, i) => 0.06 + i / 600)];
    const clipped = block(values, false);
    const plain = values.map((value) => Math.round(value * 8) / 8);
    const error = (found: ArrayLike<number>) =>
      values.reduce((sum, value, i) => sum + (value - (found[i] as number)) ** 2, 0);
    expect(error(clipped)).toBeLessThan(0.95 * error(plain));
  });
});
