import { describe, expect, it } from 'vitest';
import { float } from '../../onnx/attributes.ts';
import { decompose } from '../../onnx/decompose/decompose.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { toFloat16 } from '../../onnx/half-float.ts';
import { float32, tensor } from '../../onnx/tensor.ts';
import { modelOf, run } from '../../onnx/testing/one-node.ts';
import { differentiateModel } from '../differentiate-model.ts';
import { modelGradients, runModel } from '../testing/check-model.ts';

type Write = (g: GraphBuilder, x: TypedValue) => TypedValue;
const last = { axes: [1] };
const squares: Write = (g, x) => g.reduceSum(g.mul(x, x), last);
const pow = (g: GraphBuilder, x: TypedValue, p: number) => g.op('Pow', [x, g.constant(float32([p], []))]);
/** n / (n - 1), from the shape, as PyTorch's exporter writes it. */
const besselWrites: Write = (g, x) => {
  const centred = g.sub(x, g.reduceMean(x, last));
  const count = g.cast(
    g.op('ReduceProd', [g.op('Shape', [x], { start: 1, end: 2 })], { keepdims: 0 }),
    'float32',
  );
  const summed = g.mul(g.reduceMean(g.mul(centred, centred), last), count);
  return g.sqrt(g.div(summed, g.sub(count, 1)));
};

/** What exporters write for operators whose gradient PyTorch gives as 0 where all elements are 0. */
const NORMS: [string, Write][] = [
  ['norm: ReduceL2', (g, x) => g.op('ReduceL2', [x, g.ints([1])])],
  ['norm: Sqrt of ReduceSum of x x', (g, x) => g.sqrt(squares(g, x))],
  ['norm: Sqrt of ReduceSumSquare', (g, x) => g.sqrt(g.op('ReduceSumSquare', [x, g.ints([1])]))],
  ['norm: Pow 0.5 of ReduceSum of Pow 2', (g, x) => pow(g, g.reduceSum(pow(g, x, 2), last), 0.5)],
  ['norm of order 3', (g, x) => pow(g, g.reduceSum(pow(g, g.abs(x), 3), last), 1 / 3)],
  ['root mean square', (g, x) => g.sqrt(g.reduceMean(pow(g, x, 2), last))],
  ['std, with its correction', besselWrites],
  [
    'normalize: x over its norm, at least 1e-12',
    (g, x) => g.div(x, g.clip(g.sqrt(squares(g, x)), 1e-12, 1e30)),
  ],
  ['LpNormalization', (g, x) => g.op('LpNormalization', [x], { axis: 1, p: 2 })],
  ['LpNormalization of order 1', (g, x) => g.op('LpNormalization', [x], { axis: 1, p: 1 })],
  ['Sqrt of a Clip at 0', (g, x) => g.sqrt(g.clip(squares(g, x), 0, 1e30))],
  ['Sqrt of a Relu', (g, x) => g.sqrt(g.relu(g.sub(squares(g, x), g.reduceSum(x, last))))],
];

describe.each(NORMS)('%s', (name, write) => {
  it('has the gradient 0 for a row of zeros, and that of others is as it is', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [2, 3]);
    g.output(g.reduceSum(g.sin(write(g, x)), { keepDims: false }), 'loss');
    const { x: dx } = await modelGradients(g.build(), { x: float32([0, 0, 0, 1, 2, -2], [2, 3]) }, ['x']);
    const slope = name.startsWith('normalize') ? 1e12 : 0;
    expect(dx!.slice(0, 3).map((value) => Math.round(value / 1e6) * 1e6 || 0)).toEqual(
      [slope, slope, slope].map((s) => (s ? expect.closeTo(s, -6) : 0)),
    );
    expect(dx!.slice(3).every((value) => Number.isFinite(value))).toBe(true);
    expect(dx!.slice(3).some((value) => Math.abs(value) > 1e-3)).toBe(true);
  });
});

it('leaves a root of anything else without end, as PyTorch does', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [1]);
  g.output(g.reduceSum(g.sqrt(x), { keepDims: false }), 'loss');
  expect((await modelGradients(g.build(), { x: float32([0]) }, ['x'])).x).toEqual([Infinity]);
});

it('gives rows of a softmax that the model replaces the gradient 0', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [2, 2]);
  const masked = g.add(x, g.constant(float32([-Infinity, -Infinity, 0, 0], [2, 2])));
  const y = g.softmax(masked, -1);
  const safe = g.where(g.op('IsNaN', [y]), 0, y);
  g.output(g.reduceSum(g.mul(safe, g.constant(float32([1, 2]))), { keepDims: false }), 'loss');
  const { x: dx } = await modelGradients(g.build(), { x: float32([1, 1, 1, 1], [2, 2]) }, ['x']);
  expect(dx).toEqual([0, 0, -0.25, 0.25]);
});

describe('float16', () => {
  const half = (values: number[], dims: number[]) =>
    tensor('float16', dims, Uint16Array.from(values, toFloat16));
  // The squares of these do not fit into float16.
  const rows = [600, -300, 100, 250, 500, -200, 400, 100];
  const NORMALIZATIONS: [string, Write][] = [
    [
      'LayerNormalization',
      (g, x) => {
        const one = g.cast(g.constant(float32([1, 2, 1, 1])), x.type);
        return g.op('LayerNormalization', [x, one, one], { axis: -1, epsilon: float(1e-5) });
      },
    ],
    [
      'GroupNormalization',
      (g, x) => {
        const one = g.cast(g.constant(float32([1, 2])), x.type);
        const image = g.reshape(x, [2, 2, 2]);
        const y = g.op('GroupNormalization', [image, one, one], { num_groups: 1 });
        return g.reshape(y, [2, 4]);
      },
    ],
    ['LpNormalization', (g, x) => g.mul(g.op('LpNormalization', [x], { axis: 1 }), 2)],
  ];
  it.each(NORMALIZATIONS)('%s has the gradient of float32', async (_, write) => {
    const build = (type: 'float16' | 'float32') => {
      const g = new GraphBuilder(23);
      const x = g.input('x', type, [2, 4]);
      const weight = g.cast(g.constant(float32([1, 2, 3, -4])), type);
      const y = g.cast(g.mul(write(g, x), weight), 'float32');
      g.output(g.reduceSum(g.sin(y), { keepDims: false }), 'loss');
      return g.build();
    };
    const wide = await modelGradients(build('float32'), { x: float32(rows, [2, 4]) }, ['x']);
    const { graph } = differentiateModel(build('float16'), { loss: 'loss', wrt: ['x'] });
    const outputs = await runModel(graph, { x: half(rows, [2, 4]) });
    const found = outputs['grad/x']!;
    for (const [i, value] of wide.x!.entries()) expect(found[i], `element ${i}`).toBeCloseTo(value, 3);
    expect(wide.x!.some((value) => Math.abs(value) > 1e-3)).toBe(true);
  });

  it.each(['RMSNormalization', 'SimplifiedLayerNormalization'])(
    '%s is taken apart in float32',
    async (op) => {
      const gain = half([1, 2, 1, 1], [4]);
      const inputs = [half(rows, [2, 4]), gain];
      const graph = decompose(modelOf({ op, form: '', inputs, attributes: { axis: -1 }, opset: 23 }));
      const [y] = await run(graph, inputs);
      const squares = [0, 4].map(
        (at) => rows.slice(at, at + 4).reduce((sum, value) => sum + value * value, 0) / 4,
      );
      for (const [i, value] of y!.entries()) {
        const wanted = (rows[i]! / Math.sqrt(squares[i < 4 ? 0 : 1]!)) * (i % 4 === 1 ? 2 : 1);
        expect(value).toBeCloseTo(wanted, 2);
      }
    },
  );
});
