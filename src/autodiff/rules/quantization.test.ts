import { describe, expect, it } from 'vitest';
import type { TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32, type Tensor, tensor } from '../../onnx/tensor.ts';
import { modelGradients } from '../testing/check-model.ts';

const int8 = (values: number[], dims = [values.length]) => tensor('int8', dims, Int8Array.from(values));
const uint8 = (values: number[], dims = [values.length]) => tensor('uint8', dims, Uint8Array.from(values));

type Between = (g: GraphBuilder, q: TypedValue) => TypedValue;

/** sum(weight * dequantised(quantised(x))): the gradients of x and of the scale. */
async function gradientsOf(
  x: Tensor,
  scale: Tensor,
  zero: Tensor | null,
  weight: Tensor,
  attributes: Record<string, number> = {},
  between: Between = (_, q) => q,
): Promise<Record<string, number[]>> {
  const g = new GraphBuilder(21);
  const [value, step] = [g.input('x', 'float32', x.dims), g.input('scale', 'float32', scale.dims)];
  const zeroPoint = zero && g.initializer('zero', zero);
  const q = g.op('QuantizeLinear', [value, step, zeroPoint], attributes);
  const y = g.op('DequantizeLinear', [between(g, q), step, zeroPoint], attributes);
  const weighted = g.mul(y, g.constant(weight));
  g.output(g.reduceSum(weighted, { keepDims: false }), 'loss');
  return modelGradients(g.build(), { x, scale }, ['x', 'scale']);
}

const close = (found: number[] | undefined, wanted: number[]) => {
  expect(found?.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) expect(found![i], `element ${i}`).toBeCloseTo(value, 4);
};

describe('fake quantisation, as fake_quantize_per_tensor_affine of PyTorch', () => {
  it('passes the gradient of what lies in the range, and none beyond it', async () => {
    // 12.74 and -12.84 round to the last number of int8, 12.76 does not.
    const x = float32([0.26, -0.17, 12.74, 12.76, -12.84, -12.86]);
    const { x: dx, scale } = await gradientsOf(
      x,
      float32([0.1], []),
      int8([0], []),
      float32([1, 2, 3, 4, 5, 6]),
    );
    close(dx, [1, 2, 3, 0, 5, 0]);
    // Learned step size: round(x / s) - x / s inside, the end of the range outside.
    close(scale, [3 - 2.6 + 2 * (-2 + 1.7) + 3 * (127 - 127.4) + 4 * 127 + 5 * (-128 + 128.4) + 6 * -128]);
  });

  it('per axis, with zero points', async () => {
    const x = float32([0.26, 3, -1, 0.4, 60, -1], [2, 3]);
    const { x: dx, scale } = await gradientsOf(
      x,
      float32([0.1, 0.2]),
      uint8([10, 128]),
      float32([1, 2, 3, 4, 5, 6], [2, 3]),
      { axis: 0 },
    );
    close(dx, [1, 2, 3, 4, 0, 6]);
    close(scale, [3 - 2.6, 5 * (255 - 128)]);
  });

  it('block by block', async () => {
    const x = float32([0.26, 0.4, -1, 30, 0.3, -26], [1, 6]);
    const { x: dx, scale } = await gradientsOf(
      x,
      float32([0.1, 0.2, 0.1], [1, 3]),
      int8([0, 0, 0], [1, 3]),
      float32([1, 2, 3, 4, 5, 6], [1, 6]),
      { axis: 1, block_size: 2 },
    );
    close(dx, [1, 2, 3, 0, 5, 0]);
    close(scale, [3 - 2.6, 4 * 127, 6 * -128]);
  });

  it('without a zero point', async () => {
    const { x: dx } = await gradientsOf(float32([-1, 1, 30]), float32([0.1], []), null, float32([1, 2, 3]));
    close(dx, [0, 2, 0]);
  });

  const moved: [string, Between, Tensor, number[]][] = [
    ['Transpose', (g, q) => g.transpose(q, [1, 0]), float32([1, 2, 3, 4, 5, 6], [3, 2]), [1, 3, 5, 2, 4, 6]],
    ['Reshape', (g, q) => g.reshape(q, [6]), float32([1, 2, 3, 4, 5, 6]), [1, 2, 3, 4, 5, 6]],
    ['Unsqueeze', (g, q) => g.unsqueeze(q, [0]), float32([1, 2, 3, 4, 5, 6], [1, 2, 3]), [1, 2, 3, 4, 5, 6]],
    ['Slice', (g, q) => g.slice(q, 1, 1, 3), float32([1, 2, 3, 4], [2, 2]), [0, 1, 2, 0, 3, 4]],
    ['Concat', (g, q) => g.concat([q, q], 0), float32(new Array(12).fill(1), [4, 3]), [2, 2, 2, 2, 2, 2]],
    [
      'Split',
      (g, q) => g.node('Split', [q, g.ints([1, 2])], { axis: 1 }, { outputs: 2 })[1]!,
      float32([1, 2, 3, 4], [2, 2]),
      [0, 1, 2, 0, 3, 4],
    ],
    [
      'Expand',
      (g, q) => g.expand(q, [2, 2, 3]),
      float32(new Array(12).fill(1), [2, 2, 3]),
      [2, 2, 2, 2, 2, 2],
    ],
  ];
  it.each(moved)('through %s of what is quantised', async (_, between, weight, wanted) => {
    const x = float32([1, 2, 3, 4, 5, 6], [2, 3]);
    const { x: dx } = await gradientsOf(x, float32([0.1], []), int8([0], []), weight, {}, between);
    close(dx, wanted);
  });
});

it('passes the gradient through a range that is chosen as it runs', async () => {
  const x = float32([-1, 0.5, 3]);
  const g = new GraphBuilder();
  const value = g.input('x', 'float32', [3]);
  const [q, scale, zero] = g.node('DynamicQuantizeLinear', [value], {}, { outputs: 3 });
  const y = g.op('DequantizeLinear', [q!, scale!, zero!]);
  g.output(g.reduceSum(g.mul(y, g.constant(float32([1, 2, 3]))), { keepDims: false }), 'loss');
  close((await modelGradients(g.build(), { x }, ['x'])).x, [1, 2, 3]);
});

it('gives the scale of whole weights a gradient', async () => {
  const g = new GraphBuilder();
  const scale = g.input('scale', 'float32', [2]);
  const weights = g.initializer('w', int8([1, 2, 3, 4], [2, 2]));
  const y = g.op('DequantizeLinear', [weights, scale, g.initializer('z', int8([0, 1]))], { axis: 1 });
  g.output(g.reduceSum(y, { keepDims: false }), 'loss');
  close((await modelGradients(g.build(), { scale: float32([0.5, 0.25]) }, ['scale'])).scale, [1 + 3, 1 + 3]);
});
