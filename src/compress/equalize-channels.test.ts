import { expect, test } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { equalized } from './equalize-channels.ts';

const engine = createNodeEngine({ threads: 1 });

function random(seed: string, dims: readonly number[], size: (index: number) => number = () => 1): Tensor {
  const stream = randomStream(9, seed);
  const count = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    Float32Array.from({ length: count }, (_, i) => size(i) * (2 * stream.uniform() - 1)),
    dims,
  );
}

/** Expansion, depthwise and projection, with channels of very different size; `between` lies between the first two. */
function inverted(between: (g: GraphBuilder, x: TypedValue) => TypedValue): Graph {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 4, 6, 6]);
  const conv = (name: string, input: TypedValue, weights: Tensor, group = 1) => {
    const [outputs] = weights.dims;
    const bias = g.initializer(`${name}/bias`, random(`${name}/bias`, [outputs]));
    const pad = ((weights.dims[2] as number) - 1) / 2;
    return g.op('Conv', [input, g.initializer(name, weights), bias], { group, pads: [pad, pad, pad, pad] });
  };
  // The first channel is a hundred times as large as the last.
  const spread = (per: number) => (i: number) => 10 ** (2 - Math.floor(i / per) / 4);
  const wide = between(g, conv('expand', x, random('expand', [8, 4, 1, 1], spread(4))));
  const deep = g.relu(conv('depthwise', wide, random('depthwise', [8, 1, 3, 3]), 8));
  g.output(conv('project', deep, random('project', [4, 8, 1, 1])), 'y');
  return g.build();
}

async function answers(graph: Graph): Promise<Float32Array> {
  const session = await engine.load(writeModel(graph));
  try {
    return (await session.run({ x: random('x', [2, 4, 6, 6]) })).y?.data as Float32Array;
  } finally {
    await session.release();
  }
}

/** The largest weight of each output channel. */
function sizes(graph: Graph, name: string): number[] {
  const [, { dims, data }] = [...graph.initializers].find(([value]) => value.name === name) as [
    unknown,
    Tensor,
  ];
  const per = data.length / (dims[0] as number);
  return Array.from({ length: dims[0] as number }, (_, channel) =>
    Math.max(
      ...Array.from({ length: per }, (_, i) => Math.abs((data as Float32Array)[channel * per + i] as number)),
    ),
  );
}

const unevenness = (values: readonly number[]) => Math.max(...values) / Math.min(...values);

test('channels between convolutions become alike, and the answers stay', async () => {
  const graph = inverted((g, x) => g.relu(x));
  const even = equalized(graph);
  expect(unevenness(sizes(even, 'expand'))).toBeLessThan(unevenness(sizes(graph, 'expand')) / 5);
  const [before, after] = [await answers(graph), await answers(even)];
  const largest = Math.max(...before.map(Math.abs));
  before.forEach((value, i) => {
    expect(Math.abs(value - (after[i] as number))).toBeLessThan(1e-5 * largest);
  });
});

test('nothing moves through an activation that scales nothing, or a value that somebody else sees', () => {
  const curved = inverted((g, x) => g.op('HardSwish', [x]));
  expect(sizes(equalized(curved), 'expand')).toEqual(sizes(curved, 'expand'));
  const shown = inverted((g, x) => {
    const value = g.relu(x);
    g.output(g.identity(value), 'inner');
    return value;
  });
  expect(sizes(equalized(shown), 'expand')).toEqual(sizes(shown, 'expand'));
});
