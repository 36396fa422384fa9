import { expect, test } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { int8Share } from './int8-share.ts';

const zeros = (...dims: number[]) => float32(new Float32Array(dims.reduce((a, b) => a * b, 1)), dims);

test('the share of the multiplications that are quantised', () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 2, 8, 8]);
  // 4 * 8 * 8 * (2 * 9) = 4,608 multiplications a sample, and 4 * 10 = 40.
  const y = g.op('Conv', [x, g.initializer('w', zeros(4, 2, 3, 3))], { pads: [1, 1, 1, 1] });
  const mean = g.reduceMean(y, { axes: [2, 3], keepDims: false });
  g.output(g.matMul(mean, g.initializer('classifier', zeros(4, 10))), 'logits');
  const graph = g.build();
  expect(int8Share(graph)).toBe(1);
  expect(int8Share(graph, ['w'])).toBeCloseTo(40 / 4648, 10);
  expect(int8Share(graph, ['classifier'])).toBeCloseTo(4608 / 4648, 10);
});

test('products of two activations are not quantised', () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [16, 8]);
  const y = g.matMul(x, g.initializer('w', zeros(8, 8)));
  g.output(g.matMul(y, g.transpose(y, [1, 0])), 'y');
  expect(int8Share(g.build())).toBeCloseTo((16 * 8 * 8) / (16 * 8 * 8 + 16 * 16 * 8), 10);
});

test('a transposed convolution counts in the form in which it is quantised, and a dilated one stays in float32', () => {
  const upwards = (dilation: number) => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', ['batch', 2, 8, 8]);
    const how = { strides: [2, 2], dilations: [dilation, dilation] };
    const y = g.op('ConvTranspose', [x, g.initializer('up', zeros(2, 4, 2, 2))], how);
    // 8 * 8 * 2 * (4 * 2 * 2) = 2,048 multiplications a sample, and 4 * 10 = 40.
    const mean = g.reduceMean(y, { axes: [2, 3], keepDims: false });
    g.output(g.matMul(mean, g.initializer('classifier', zeros(4, 10))), 'logits');
    return g.build();
  };
  expect(int8Share(upwards(1))).toBe(1);
  expect(int8Share(upwards(1), ['classifier'])).toBeCloseTo(2048 / 2088, 10);
  expect(int8Share(upwards(2))).toBeCloseTo(40 / 2088, 10);
});

test('a graph without products has no share', () => {
  const g = new GraphBuilder();
  g.output(g.relu(g.input('x', 'float32', [1])), 'y');
  expect(int8Share(g.build())).toBeUndefined();
});
