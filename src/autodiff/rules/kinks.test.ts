import { expect, it } from 'vitest';
import { float } from '../../onnx/attributes.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32, toNumbers } from '../../onnx/tensor.ts';
import { gradients } from '../gradients.ts';
import { loadGraph } from '../testing/run-graph.ts';

/** d (sum of f(x)) / dx */
async function slopes(
  values: number[],
  dims: number[],
  f: (g: GraphBuilder, x: TypedValue) => TypedValue,
): Promise<number[]> {
  const g = new GraphBuilder();
  const x = g.initializer('x', float32(values, dims));
  const [dx] = gradients(g, g.reduceSum(f(g, x), { keepDims: false }), [x]);
  g.output(dx!, 'dx');
  const run = await loadGraph(g.build());
  return toNumbers((await run({})).dx!);
}

it.each<[string, (g: GraphBuilder, x: TypedValue) => TypedValue, number]>([
  ['LeakyRelu', (g, x) => g.op('LeakyRelu', [x], { alpha: float(0.25) }), 0.25],
  ['PRelu', (g, x) => g.op('PRelu', [x, g.initializer('slope', float32([0.25], [1]))]), 0.25],
  ['Relu', (g, x) => g.relu(x), 0],
  ['Selu', (g, x) => g.op('Selu', [x]), 1.7580993],
])('%s has the slope of PyTorch at 0', async (_, f, slope) => {
  const [found] = await slopes([0], [1], f);
  expect(found).toBeCloseTo(slope, 6);
});

it.each([
  ['zeros', [2, -1, -2]],
  ['border', [0, -1, 0]],
  ['reflection', [0, -1, 0]],
])('GridSample with %s padding has the slopes of PyTorch at pixels', async (padding, expected) => {
  const grid = [-1, 0, 0, 0, 1, 0];
  const found = await slopes(grid, [1, 1, 3, 2], (g, places) => {
    const image = g.initializer('image', float32([1, 3, 2], [1, 1, 1, 3]));
    return g.op('GridSample', [image, places], { padding_mode: padding, align_corners: 1 });
  });
  expect([found[0], found[2], found[4]].map((slope) => slope! + 0)).toEqual(expected);
});

it('gives a tensor without elements its shape back', async () => {
  const found = await slopes([], [3, 4, 0], (g, x) =>
    g.square(g.op('Reshape', [x, g.ints([0, 3, 4])], { allowzero: 1 })),
  );
  expect(found).toEqual([]);
});
