import { expect, it } from 'vitest';
import { gradients } from '../../autodiff/gradients.ts';
import { createNodeEngine } from '../../engine/node.ts';
import { randomStream } from '../../random.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { float32, toNumbers } from '../tensor.ts';
import { writeModel } from '../write-model.ts';
import { lowerConvolutions } from './lower-convolutions.ts';

const random = randomStream(1, 'lower-convolutions');
const draw = (dims: readonly number[]) =>
  float32(
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal()),
    dims,
  );

interface Form {
  input: number[];
  weights: number[];
  bias?: boolean;
  attributes: Parameters<GraphBuilder['op']>[2];
}

const FORMS: Form[] = [
  { input: [32, 48, 7, 7], weights: [40, 48, 3, 3], attributes: { pads: [1, 1, 1, 1] } },
  { input: [33, 40, 6, 9], weights: [64, 40, 3, 3], bias: true, attributes: {} },
  { input: [40, 64, 5, 8], weights: [32, 64, 3, 3], attributes: { pads: [0, 2, 1, 0] } },
  { input: [64, 64, 4, 11], weights: [64, 64, 3, 3], attributes: { auto_pad: 'SAME_UPPER', group: 1 } },
];

function model({ input, weights, bias, attributes }: Form) {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', input);
  const w = g.input('w', 'float32', weights);
  const b = bias ? g.initializer('b', draw([weights[0]!])) : null;
  g.output(g.op('Conv', [x, w, b], attributes), 'y');
  return g.build();
}

it.each(FORMS)('gives what the convolution gives, and its gradients: $input, $weights', async (form) => {
  const graph = model(form);
  const lowered = lowerConvolutions(graph);
  expect(lowered.nodes.some(({ opType }) => opType === 'Conv')).toBe(false);
  const shape = graph.outputs[0]!.shape as number[];
  const feeds = { x: draw(form.input), w: draw(form.weights), dy: draw(shape) };
  const [wanted, found] = await Promise.all(
    [graph, lowered].map(async (one) => {
      const g = new GraphBuilder();
      const [x, w] = [g.input('x', 'float32', form.input), g.input('w', 'float32', form.weights)];
      const dy = g.input('dy', 'float32', shape);
      const y = g.inline(one, new Map(Object.entries({ x, w })), 'model').get('y')!;
      const loss = g.reduceSum(g.mul(y, dy), { keepDims: false });
      const [dx, dw] = gradients(g, loss, [x, w]);
      for (const [name, value] of Object.entries({ y, dx: dx!, dw: dw! })) g.output(value, `out/${name}`);
      return (await createNodeEngine().load(writeModel(g.build()))).run(feeds);
    }),
  );
  for (const name of ['out/y', 'out/dx', 'out/dw']) {
    expect(found![name]!.dims).toEqual(wanted![name]!.dims);
    const numbers = toNumbers(wanted![name]!);
    const worst = toNumbers(found![name]!).reduce(
      (most, v, i) => Math.max(most, Math.abs(v - numbers[i]!)),
      0,
    );
    const size = Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0) / numbers.length);
    expect(worst / size).toBeLessThan(1e-4);
  }
});

it('leaves convolutions with other kernels, strides or groups, few channels, large images and unknown sizes', () => {
  const pads = [1, 1, 1, 1];
  const left: Form[] = [
    { input: [32, 64, 7, 7], weights: [64, 64, 5, 5], attributes: { pads: [2, 2, 2, 2] } },
    { input: [32, 64, 7, 7], weights: [64, 64, 3, 3], attributes: { pads, strides: [2, 2] } },
    { input: [32, 64, 9, 9], weights: [64, 64, 3, 3], attributes: { dilations: [2, 2] } },
    { input: [32, 64, 7, 7], weights: [64, 32, 3, 3], attributes: { pads, group: 2 } },
    { input: [32, 8, 7, 7], weights: [8, 8, 3, 3], attributes: { pads } },
    { input: [32, 32, 28, 28], weights: [32, 32, 3, 3], attributes: { pads } },
    { input: [1, 64, 7, 7], weights: [64, 64, 3, 3], attributes: { pads } },
  ];
  for (const form of left) {
    const graph = model(form);
    expect(lowerConvolutions(graph)).toBe(graph);
  }
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 64, 7, 7]);
  g.output(g.op('Conv', [x, g.initializer('w', draw([64, 64, 3, 3]))], { pads }), 'y');
  const graph = g.build();
  expect(lowerConvolutions(graph)).toBe(graph);
});
