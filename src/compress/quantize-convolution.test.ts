import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ortWeb from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../engine/engine.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { OrtModule } from '../engine/ort-session.ts';
import { createWebEngine } from '../engine/web.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { collectRanges, type Feeds } from './calibrate.ts';
import { quantizableLayers } from './quantizable-layers.ts';
import { quantizeDynamic } from './quantize-dynamic.ts';
import { type QuantizeStaticOptions, quantizeStatic, valuesToCalibrate } from './quantize-static.ts';
import { subPixelConvolutions } from './sub-pixel-convolutions.ts';

const node = createNodeEngine({ threads: 1 });
const web = createWebEngine({ ort: ortWeb as unknown as OrtModule });

const random = (seed: string, dims: readonly number[], size = 1) => {
  const stream = randomStream(11, seed);
  const count = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    Float32Array.from({ length: count }, () => size * (2 * stream.uniform() - 1)),
    dims,
  );
};

async function run(graph: Graph, feeds: Feeds, engine: Engine = node): Promise<Float32Array> {
  const session = await engine.load(writeModel(graph));
  try {
    return (await session.run(feeds)).y?.data as Float32Array;
  } finally {
    await session.release();
  }
}

async function quantized(graph: Graph, feeds: Feeds, options: QuantizeStaticOptions = {}): Promise<Graph> {
  return quantizeStatic(
    graph,
    await collectRanges(graph, valuesToCalibrate(graph, options), node, [feeds]),
    options,
  );
}

const largest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const difference = (a: Float32Array, b: Float32Array) => largest(a.map((value, i) => value - (b[i] ?? 0)));

/** The operators that ONNX Runtime really runs, fused as it sees fit. */
async function operatorsRun(graph: Graph, feeds: Feeds): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-profile-'));
  try {
    const session = await node.load(writeModel(graph), { profile: join(folder, 'p') });
    await session.run(feeds);
    await session.release();
    const [file = ''] = readdirSync(folder);
    const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { args?: { op_name?: string } }[];
    return [...new Set(events.flatMap(({ args }) => args?.op_name ?? []))].sort();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Shape {
  inputs: number;
  outputs: number;
  kernel: readonly number[];
  group?: number;
  strides?: readonly number[];
  dilations?: readonly number[];
}

/** y = conv(x), with a bias that is large for one channel whose weights are nearly nothing. */
function convolution(shape: Shape, { activation = 'none', bias = true } = {}): Graph {
  const { inputs, outputs, kernel, group = 1, strides, dilations } = shape;
  const g = new GraphBuilder();
  const spatial = kernel.map(() => 9);
  const x = g.input('x', 'float32', ['batch', inputs, ...spatial]);
  const weights = random('w', [outputs, inputs / group, ...kernel]);
  (weights.data as Float32Array).fill(1e-9, 0, weights.data.length / outputs);
  const w = g.initializer('w', weights);
  const b = g.initializer('b', random('b', [outputs], 0.5));
  const pads = [...kernel, ...kernel].map((size) => Math.floor(size / 2));
  const y = g.op('Conv', bias ? [x, w, b] : [x, w], {
    group,
    pads,
    strides: strides ?? kernel.map(() => 1),
    dilations: dilations ?? kernel.map(() => 1),
  });
  const activated: Record<string, () => TypedValue> = { relu: () => g.relu(y), relu6: () => g.clip(y, 0, 6) };
  g.output(activated[activation]?.() ?? y, 'y');
  return g.build();
}

/** A residual block after a stem with pooling: what a ResNet is made of. */
function residual(): Graph {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 8, 8, 8]);
  const conv = (name: string, input: TypedValue) =>
    g.op(
      'Conv',
      [
        input,
        g.initializer(`${name}/w`, random(name, [8, 8, 3, 3], 0.3)),
        g.initializer(`${name}/b`, random(`${name}/b`, [8])),
      ],
      { pads: [1, 1, 1, 1] },
    );
  const stem = g.op('MaxPool', [g.relu(conv('stem', x))], { kernel_shape: [2, 2], strides: [2, 2] });
  const inner = g.relu(conv('first', g.identity(stem, 'block')));
  const sum = g.relu(g.add(conv('second', inner), stem));
  g.output(g.relu(g.add(conv('third', sum), sum)), 'y');
  return g.build();
}

describe('convolutions in int8', () => {
  const SHAPES: Record<string, Shape> = {
    plain: { inputs: 8, outputs: 16, kernel: [3, 3] },
    pointwise: { inputs: 16, outputs: 4, kernel: [1, 1] },
    grouped: { inputs: 16, outputs: 16, kernel: [3, 3], group: 4 },
    depthwise: { inputs: 16, outputs: 16, kernel: [5, 5], group: 16 },
    strided: { inputs: 4, outputs: 8, kernel: [3, 3], strides: [2, 2] },
    dilated: { inputs: 4, outputs: 8, kernel: [3, 3], dilations: [2, 2] },
    'over a line': { inputs: 8, outputs: 8, kernel: [3] },
    'one channel': { inputs: 1, outputs: 3, kernel: [3, 3] },
  };

  it.each(Object.entries(SHAPES))('%s: is off by no more than rounding can be', async (_name, shape) => {
    const { inputs, kernel, group = 1 } = shape;
    const x = random('x', [2, inputs, ...kernel.map(() => 9)], 3);
    const terms = (inputs / group) * kernel.reduce((a, b) => a * b, 1);
    for (const activation of ['none', 'relu', 'relu6']) {
      for (const bias of [false, true]) {
        const graph = convolution(shape, { activation, bias });
        expect(quantizableLayers(graph).map(({ name }) => name)).toEqual(['w']);
        const small = await quantized(graph, { x });
        const [exact, rounded] = [await run(graph, { x }), await run(small, { x })];
        const [dx, dw] = [6 / 255 / 2, 1 / 63 / 2];
        const output = (2 * largest(exact)) / 255 / 2;
        expect(difference(exact, rounded)).toBeLessThan(terms * (3 * dw + dx + dx * dw) + output + 1e-4);
        expect(difference(exact, rounded)).toBeGreaterThan(0);
        // Far below that bound, for errors do not all add up.
        const before = activation === 'none' ? exact : await run(convolution(shape, { bias }), { x });
        expect(difference(exact, rounded)).toBeLessThan(0.03 * largest(before));
      }
    }
  });

  it.each(Object.entries(SHAPES))('%s: ONNX Runtime computes it in int8', async (_name, shape) => {
    const x = random('x', [2, shape.inputs, ...shape.kernel.map(() => 9)], 3);
    for (const activation of ['relu', 'relu6']) {
      const small = await quantized(convolution(shape, { activation }), { x });
      const operators = await operatorsRun(small, { x });
      expect(operators).toContain('QLinearConv');
      for (const name of ['Conv', 'Relu', 'Clip']) expect(operators).not.toContain(name);
    }
  });

  it('stays in int8 over residual connections and pooling', async () => {
    const x = random('x', [2, 8, 8, 8], 2);
    const graph = residual();
    const small = await quantized(graph, { x });
    const operators = await operatorsRun(small, { x });
    expect(operators.filter((name) => /Conv|Add|Relu|Pool|Identity/.test(name))).toEqual([
      'NhwcMaxPool',
      'QLinearAdd',
      'QLinearConv',
    ]);
    const [exact, rounded] = [await run(graph, { x }), await run(small, { x })];
    expect(difference(exact, rounded)).toBeLessThan(0.03 * largest(exact));
    expect(difference(rounded, await run(small, { x }, web))).toBeLessThan(0.02 * largest(exact));
  });

  it('computes a transposed convolution in int8, in the form of a plain one', async () => {
    const x = random('x', [2, 8, 6, 6], 2);
    const g = new GraphBuilder();
    const pixels = g.input('x', 'float32', ['batch', 8, 6, 6]);
    const weights = (name: string, dims: readonly number[]) => g.initializer(name, random(name, dims, 0.3));
    const first = g.relu(g.op('Conv', [pixels, weights('first', [8, 8, 1, 1])]));
    const up = { strides: [2, 2], pads: [1, 1, 1, 1] };
    const larger = g.relu(g.op('ConvTranspose', [first, weights('up', [8, 6, 4, 4]), weights('b', [6])], up));
    g.output(g.op('Conv', [larger, weights('last', [4, 6, 3, 3])]), 'y');
    const graph = g.build();
    const form = subPixelConvolutions(graph);
    expect(quantizableLayers(form).map(({ name }) => name)).toEqual(['first', 'up', 'last']);
    const small = await quantized(form, { x });
    const operators = await operatorsRun(small, { x });
    expect(operators.filter((name) => /Conv|Relu|Space|Slice/.test(name))).toEqual([
      'DepthToSpace',
      'QLinearConv',
      'Slice',
    ]);
    const [exact, rounded] = [await run(graph, { x }), await run(small, { x })];
    expect(difference(exact, rounded)).toBeLessThan(0.03 * largest(exact));
    expect(difference(rounded, await run(small, { x }, web))).toBeLessThan(0.02 * largest(exact));
  });

  it('leaves excluded convolutions in float32, and the rest right', async () => {
    const x = random('x', [2, 8, 8, 8], 2);
    const graph = residual();
    const exact = await run(graph, { x });
    for (const { name } of quantizableLayers(graph)) {
      const small = await quantized(graph, { x }, { exclude: [name] });
      expect(small.nodes.filter(({ opType }) => opType === 'Conv')).toHaveLength(4);
      expect([...small.initializers.keys()].filter(({ type }) => type === 'int8')).toHaveLength(3);
      expect(difference(exact, await run(small, { x }))).toBeLessThan(0.03 * largest(exact));
    }
  });

  it('are left as they are by ranges found while running', async () => {
    const graph = convolution(SHAPES.plain as Shape);
    expect(quantizeDynamic(graph).nodes).toEqual(graph.nodes);
  });

  it('keeps a value that something else reads too', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 8, 8, 8]);
    const y = g.op('Conv', [x, g.initializer('w', random('w', [8, 8, 3, 3]))], { pads: [1, 1, 1, 1] });
    // Not a Relu to take in: the negative side is used as well.
    g.output(g.add(g.relu(y), g.tanh(y)), 'y');
    const feeds = { x: random('x', [2, 8, 8, 8]) };
    const [exact, rounded] = [
      await run(g.build(), feeds),
      await run(await quantized(g.build(), feeds), feeds),
    ];
    expect(difference(exact, rounded)).toBeLessThan(0.05 * largest(exact));
  });
});
