import { expect, it } from 'vitest';
import { createNodeEngine } from '../../engine/node.ts';
import { randomStream } from '../../random.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { float32, toNumbers } from '../tensor.ts';
import { writeModel } from '../write-model.ts';
import { lowerDepthwise } from './lower-depthwise.ts';

const random = randomStream(1, 'lower-depthwise');
const draw = (dims: number[]) =>
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
  { input: [2, 3, 2, 2], weights: [3, 1, 5, 5], attributes: { group: 3, pads: [2, 2, 2, 2] } },
  {
    input: [2, 3, 5, 4],
    weights: [3, 1, 3, 3],
    bias: true,
    attributes: { group: 3, strides: [2, 2], pads: [0, 1, 1, 0] },
  },
  { input: [2, 4, 7], weights: [4, 1, 3], attributes: { group: 4, dilations: [2] } },
  { input: [1, 2, 5, 5], weights: [2, 1, 2, 2], attributes: { group: 2, auto_pad: 'SAME_LOWER' } },
];

function model({ input, weights, bias, attributes }: Form) {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', input);
  const w = g.initializer('w', draw(weights));
  const b = bias ? g.initializer('b', draw([weights[0]!])) : null;
  g.output(g.op('Conv', [x, w, b], attributes), 'y');
  return g.build();
}

it.each(FORMS)('gives what the convolution gives: $input, $weights', async (form) => {
  const graph = model(form);
  const lowered = lowerDepthwise(graph);
  expect(lowered.nodes.some(({ opType }) => opType === 'Conv')).toBe(false);
  const feeds = { x: draw(form.input) };
  const [wanted, found] = await Promise.all(
    [graph, lowered].map(async (one) => (await createNodeEngine().load(writeModel(one))).run(feeds)),
  );
  expect(found!.y!.dims).toEqual(wanted!.y!.dims);
  toNumbers(found!.y!).forEach((value, i) => {
    expect(value).toBeCloseTo(toNumbers(wanted!.y!)[i]!, 4);
  });
});

it('leaves convolutions over many pixels, over several channels, and of unknown size', () => {
  const left: Form[] = [
    { input: [1, 2, 32, 32], weights: [2, 1, 3, 3], attributes: { group: 2 } },
    { input: [1, 4, 5, 5], weights: [4, 2, 3, 3], attributes: { group: 2 } },
  ];
  for (const form of left) {
    const graph = model(form);
    expect(lowerDepthwise(graph)).toBe(graph);
  }
});
