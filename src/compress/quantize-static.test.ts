import * as ortWeb from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../engine/engine.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { OrtModule } from '../engine/ort-session.ts';
import { createWebEngine } from '../engine/web.ts';
import { LimbeckError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { collectRanges, type Feeds } from './calibrate.ts';
import { quantizableLayers } from './quantizable-layers.ts';
import { quantizeDynamic } from './quantize-dynamic.ts';
import {
  type Int8Formulation,
  type QuantizeStaticOptions,
  quantizeStatic,
  valuesToCalibrate,
} from './quantize-static.ts';

const node = createNodeEngine({ threads: 1 });
const web = createWebEngine({ ort: ortWeb as unknown as OrtModule });

const random = (seed: string, count: number, size = 1) => {
  const stream = randomStream(3, seed);
  return Float32Array.from({ length: count }, () => size * (2 * stream.uniform() - 1));
};

/** y = x W + b, 4 -> 3, with the product written as `kind`. */
function linear(kind: 'matMul' | 'gemm' | 'gemmTransposed' | 'fused', weights = random('w', 12)): Graph {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 4]);
  const transposed = kind === 'gemmTransposed' || kind === 'fused';
  const content = transposed
    ? float32(
        Float32Array.from({ length: 12 }, (_, i) => weights[(i % 4) * 3 + Math.floor(i / 4)]),
        [3, 4],
      )
    : float32(weights, [4, 3]);
  const w = g.initializer('w', content);
  const b = g.initializer('b', float32([0.5, -0.25, 0]));
  if (kind === 'matMul') g.output(g.add(g.matMul(x, w), b), 'y');
  else if (kind === 'fused') g.output(g.add(g.fusedMatMul(x, w, { transB: true, alpha: 2 }), b), 'y');
  else g.output(g.gemm(x, w, b, { transB: transposed, alpha: 0.5, beta: 2 }), 'y');
  return g.build();
}

/** ids -> embedding -> two layers -> logits; symbolic in batch and sequence. */
function textModel(): Graph {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = g.input('attention_mask', 'int64', ['batch', 'sequence']);
  const table = g.initializer('table', float32(random('table', 50 * 16), [50, 16]));
  const column = g.unsqueeze(g.cast(mask, 'float32'), [2]);
  const x = g.mul(g.gather(table, ids), column);
  const layer = (name: string, input: typeof x, rows: number, columns: number) =>
    g.scope(name, () =>
      g.add(
        g.matMul(input, g.initializer('weight', float32(random(name, rows * columns, 0.3), [rows, columns]))),
        g.initializer('bias', float32(random(`${name}-bias`, columns))),
      ),
    );
  const hidden = g.relu(layer('first', x, 16, 32));
  const mean = g.reduceMean(g.mul(layer('second', hidden, 32, 24), column), { axes: [1], keepDims: false });
  const weight = g.initializer('classifier', float32(random('classifier', 24 * 5), [24, 5]));
  g.output(g.gemm(mean, weight, g.initializer('classifier.bias', float32(random('cb', 5)))), 'logits');
  return g.build('text');
}

function textFeeds(batch: number, sequence: number, seed = 'ids'): Record<string, Tensor> {
  const stream = randomStream(5, seed, batch, sequence);
  const dims = [batch, sequence];
  const ids = Array.from({ length: batch * sequence }, () => stream.integer(50));
  const ones = ids.map((_, i) => (i % sequence < 2 + (Math.floor(i / sequence) % (sequence - 1)) ? 1 : 0));
  return { input_ids: int64(ids, dims), attention_mask: int64(ones, dims) };
}

async function run(graph: Graph, feeds: Feeds, engine: Engine = node): Promise<Record<string, Tensor>> {
  const session = await engine.load(writeModel(graph));
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

async function quantized(
  graph: Graph,
  batches: Feeds[],
  options: QuantizeStaticOptions = {},
): Promise<Graph> {
  const mask = graph.inputs.some((input) => input.name === 'attention_mask') ? 'attention_mask' : undefined;
  const ranges = await collectRanges(graph, valuesToCalibrate(graph, options), node, batches, { mask });
  return quantizeStatic(graph, ranges, options);
}

const largest = (a: Tensor, b: Tensor) =>
  (a.data as Float32Array).reduce(
    (most, x, i) => Math.max(most, Math.abs(x - (b.data as Float32Array)[i])),
    0,
  );

const FORMULATIONS: Int8Formulation[] = ['integer-to-float', 'matmul-integer', 'qdq'];

describe('quantizeStatic', () => {
  it.each(FORMULATIONS)(
    '%s: is off by no more than rounding inputs, weights (and outputs) can be',
    async (formulation) => {
      const x = float32(random('x', 40, 3), [10, 4]);
      for (const kind of ['matMul', 'gemm', 'gemmTransposed', 'fused'] as const) {
        const graph = linear(kind);
        const small = await quantized(graph, [{ x }], { formulation });
        expect(quantizableLayers(small)).toEqual([]);
        const [exact, rounded] = [await run(graph, { x }), await run(small, { x })];
        const alpha = kind === 'matMul' ? 1 : kind === 'fused' ? 2 : 0.5;
        // |xw - x'w'| <= |x| dw + |w| dx + dx dw, with dx and dw half a step.
        const [dx, dw] = [6 / 255 / 2, 1 / 63 / 2];
        const products = 4 * alpha * (3 * dw + 1 * dx + dx * dw);
        const output = formulation === 'qdq' ? ((2 * 4 * 3 + 3) * alpha) / 255 / 2 : 0;
        expect(largest(exact.y, rounded.y)).toBeLessThan(products + output + 1e-5);
        expect(largest(exact.y, rounded.y)).toBeGreaterThan(0);
      }
    },
  );

  it('gives each output channel a scale of its own', async () => {
    // A column a thousand times smaller than its neighbour would be all zeros under one scale.
    const weights = Float32Array.of(100, 0.01, 0, -50, 0.02, 0, 25, -0.01, 0, 75, 0.015, 0);
    const graph = linear('matMul', weights);
    const x = float32([1, 1, 1, 1, 1, 0, 0, 0], [2, 4]);
    const small = await quantized(graph, [{ x }]);
    const scales = [...small.initializers].find(([value]) => value.name === 'w_scale')?.[1];
    expect(Array.from(scales?.data as Float32Array)).toEqual([100 / 63, 0.02 / 63, 1].map(Math.fround));
    const { y } = await run(small, { x });
    const second = [(y.data as Float32Array)[1], (y.data as Float32Array)[4]];
    expect(second[0]).toBeCloseTo(0.035 - 0.25, 3);
    expect(second[1]).toBeCloseTo(0.01 - 0.25, 3);
  });

  it('adds large products up as they are on processors that add them in 16 bits', async () => {
    const graph = linear('matMul', new Float32Array(12).fill(1));
    const x = float32(new Float32Array(8).fill(2), [2, 4]);
    for (const formulation of FORMULATIONS) {
      const { y } = await run(await quantized(graph, [{ x }], { formulation }), { x });
      expect((y.data as Float32Array)[2]).toBeCloseTo(8, 1);
    }
    const { y } = await run(quantizeDynamic(graph), { x });
    expect((y.data as Float32Array)[2]).toBeCloseTo(8, 1);
  });

  it('takes weights of zeros and activations that are always zero', async () => {
    const x = float32(new Float32Array(8), [2, 4]);
    for (const formulation of FORMULATIONS) {
      const small = await quantized(linear('matMul', new Float32Array(12)), [{ x }], { formulation });
      const { y } = await run(small, { x });
      expect(Array.from(y.data as Float32Array)).toEqual([0.5, -0.25, 0, 0.5, -0.25, 0]);
    }
  });

  it('keeps the mean error of a whole text model small, its shapes symbolic and its names', async () => {
    const graph = textModel();
    const batches = [textFeeds(8, 12), textFeeds(8, 6)];
    for (const formulation of FORMULATIONS) {
      for (const tableScales of ['row', 'column', 'tensor'] as const) {
        const small = await quantized(graph, batches, { formulation, tableScales });
        expect(small.inputs).toEqual(graph.inputs);
        expect(small.outputs).toEqual(graph.outputs);
        for (const feeds of [textFeeds(3, 5, 'other'), textFeeds(1, 12, 'one')]) {
          const [exact, rounded] = [await run(graph, feeds), await run(small, feeds)];
          expect(rounded.logits.dims).toEqual(exact.logits.dims);
          expect(largest(exact.logits, rounded.logits)).toBeLessThan(0.06);
        }
      }
    }
  });

  it('gives the same in onnxruntime-web, in every formulation', async () => {
    const graph = textModel();
    const feeds = textFeeds(4, 9);
    const models = [
      ...(await Promise.all(FORMULATIONS.map((formulation) => quantized(graph, [feeds], { formulation })))),
      quantizeDynamic(graph),
      quantizeDynamic(graph, { formulation: 'standard' }),
    ];
    for (const small of models) {
      const [here, there] = [await run(small, feeds), await run(small, feeds, web)];
      expect(largest(here.logits, there.logits)).toBeLessThan(2e-3);
    }
  });

  it('does not let a text depend on the texts beside it', async () => {
    const small = await quantized(textModel(), [textFeeds(8, 12)]);
    const feeds = textFeeds(6, 8);
    const together = (await run(small, feeds)).logits.data as Float32Array;
    const alone = await run(small, {
      input_ids: int64(Array.from((feeds.input_ids.data as BigInt64Array).slice(0, 8), Number), [1, 8]),
      attention_mask: int64(
        Array.from((feeds.attention_mask.data as BigInt64Array).slice(0, 8), Number),
        [1, 8],
      ),
    });
    expect(Array.from(alone.logits.data as Float32Array)).toEqual(Array.from(together.slice(0, 5)));
  });

  it('leaves excluded layers as they are, and is smaller by the others', async () => {
    const graph = textModel();
    const names = quantizableLayers(graph).map((layer) => layer.name);
    expect(names).toEqual(['table', 'first/weight', 'second/weight', 'classifier']);
    const [kept] = quantizableLayers(graph).filter((layer) => layer.kind === 'linear');
    const small = await quantized(graph, [textFeeds(8, 12)], { exclude: [kept.name] });
    expect(small.nodes).toContain(kept.node);
    expect(small.initializers.get(kept.weight)).toBe(graph.initializers.get(kept.weight));
    expect(quantizableLayers(small).map((layer) => layer.name)).toEqual([kept.name]);
    expect(await quantized(graph, [textFeeds(8, 12)], { exclude: names })).toMatchObject({
      nodes: graph.nodes,
    });
    const tableBytes = (model: Graph) =>
      [...model.initializers].reduce((sum, [, { data }]) => sum + (data as Float32Array).byteLength, 0);
    expect(tableBytes(await quantized(graph, [textFeeds(8, 12)]))).toBeLessThan(tableBytes(graph) * 0.45);
  });

  it('quantises an activation that several layers read, and weights that several use, once', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 4]);
    const w = g.initializer('w', float32(random('w', 16), [4, 4]));
    g.output(g.add(g.matMul(x, w), g.matMul(x, w)), 'y');
    const small = await quantized(g.build(), [{ x: float32(random('x', 8), [2, 4]) }]);
    const count = (opType: string) => small.nodes.filter((n) => n.opType === opType).length;
    expect([count('QuantizeLinear'), count('MatMulIntegerToFloat')]).toEqual([1, 2]);
    expect([...small.initializers].filter(([value]) => value.type === 'int8')).toHaveLength(1);
  });

  it('does not take a product apart that is an output itself', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 4]);
    const product = g.matMul(x, g.initializer('w', float32(random('w', 12), [4, 3])));
    g.output(product);
    g.output(g.add(product, g.initializer('b', float32([1, 2, 3]))), 'y');
    const feeds = { x: float32(random('x', 8), [2, 4]) };
    const small = await quantized(g.build(), [feeds]);
    const results = await run(small, feeds);
    expect(Object.keys(results)).toEqual([product.name, 'y']);
    expect((results.y.data as Float32Array)[2]).toBeCloseTo(
      (results[product.name].data as Float32Array)[2] + 3,
      5,
    );
  });

  it('names the problem: no range, broken weights, unknown layers, an old opset', async () => {
    const graph = linear('matMul');
    const x = float32(random('x', 8), [2, 4]);
    const code = (body: () => unknown) => {
      try {
        body();
      } catch (error) {
        return error instanceof LimbeckError ? error.code : error;
      }
      return undefined;
    };
    expect(code(() => quantizeStatic(graph, new Map()))).toBe('export.calibration');
    expect(code(() => quantizeDynamic(linear('matMul', random('w', 12).fill(Number.NaN, 3, 4))))).toBe(
      'export.weights',
    );
    expect(code(() => quantizeDynamic(graph, { exclude: ['nothing'] }))).toBe('export.layer');
    expect(code(() => quantizeDynamic({ ...graph, opsets: new Map([['', 11]]) }))).toBe('export.opset');
    await expect(quantized(graph, [{ x }])).resolves.toBeDefined();
  });
});
