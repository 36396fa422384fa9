import { expect, it } from 'vitest';
import { createNodeEngine } from '../../engine/node.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32 } from '../../onnx/tensor.ts';
import { attributionAgreement } from './attribution-agreement.ts';

/** Two classes over images of 2x2 pixels; the first looks at the pixels with these weights. */
function linear(first: readonly number[]) {
  const g = new GraphBuilder();
  const x = g.input('pixel_values', 'float32', ['batch', 1, 2, 2]);
  const w = g.initializer('w', float32([...first.flatMap((weight) => [weight, 0])], [4, 2]));
  g.output(g.matMul(g.reshape(x, [-1, 4]), w), 'logits');
  return g.build('linear');
}

// The third row only fills the batch.
const pictures = [
  { feeds: { pixel_values: float32([1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0], [3, 1, 2, 2]) }, filled: 2 },
];
const agreement = (student: readonly number[], teacher: readonly number[]) =>
  attributionAgreement(
    createNodeEngine({ threads: 1 }),
    { student: linear(student), teacher: linear(teacher) },
    pictures,
  );

it('is 1 for the same reasons, however strong, and 0 for others', async () => {
  expect(await agreement([3, 6, 0, 0], [1, 2, 0, 0])).toBeCloseTo(1, 5);
  expect(await agreement([0, 0, 1, 1], [1, 2, 0, 0])).toBeCloseTo(0, 5);
  expect(await agreement([1, 1, 0, 0], [1, 0, 0, 0])).toBeCloseTo(Math.SQRT1_2, 5);
});
