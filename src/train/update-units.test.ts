import { describe, expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { updateUnits } from './update-units.ts';

/** Parameters of these shapes, with gradients, in a new graph. */
function parametersOf(shapes: Readonly<Record<string, readonly number[]>>) {
  const g = new GraphBuilder();
  const parameters = Object.entries(shapes).map(([name, shape]) => g.input(name, 'float32', shape));
  const gradients = parameters.map(({ name, shape }) => g.input(`d ${name}`, 'float32', shape));
  return { g, parameters, gradients, units: updateUnits(g, parameters, gradients) };
}

describe('updateUnits', () => {
  it('joins vectors, and leaves matrices, scalars and long vectors alone', () => {
    const { units } = parametersOf({ w: [2, 3], a: [2], scale: [], long: [10_000], vectors: [3] });
    expect(units.map(({ name, value }) => [name, value.shape])).toEqual([
      // A parameter has the name already.
      ['vectors_', [5]],
      ['w', [2, 3]],
      ['scale', []],
      ['long', [10_000]],
    ]);
  });

  it('does not join a single vector', () => {
    expect(parametersOf({ w: [2, 3], a: [2] }).units.map(({ name }) => name)).toEqual(['w', 'a']);
  });

  it('gives every parameter its own part back', async () => {
    const { g, units } = parametersOf({ a: [1], w: [1, 1], b: [2] });
    for (const { value, gradient, split } of units)
      for (const { parameter, next } of split(g.sub(value, gradient)))
        g.output(next, `${parameter.name}/next`);
    const session = await createNodeEngine().load(writeModel(g.build()));
    const out = await session.run({
      a: float32([1]),
      w: float32([2], [1, 1]),
      b: float32([3, 4]),
      'd a': float32([10]),
      'd w': float32([20], [1, 1]),
      'd b': float32([30, 40]),
    });
    await session.release();
    expect(out).toEqual({
      'a/next': float32([-9]),
      'w/next': float32([-18], [1, 1]),
      'b/next': float32([-27, -36]),
    });
  });
});
