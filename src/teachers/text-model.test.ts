import { expect, it } from 'vitest';
import { gradients } from '../autodiff/gradients.ts';
import { createNodeEngine } from '../engine/node.ts';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64 } from '../onnx/tensor.ts';
import { operatorsOf } from '../onnx/testing/small-graph.ts';
import { writeModel } from '../onnx/write-model.ts';
import { normalizeTextModel } from './text-model.ts';

/** logits = mean over the tokens of (row of the table x [1, 10, 100]) to the 2, all constants by Constant nodes. */
function modelWithConstantNodes(): Graph {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['n', 'l']);
  g.input('attention_mask', 'int64', ['n', 'l']);
  const table = g.initializer('table', float32([1, 2, 3, 4, 5, 6], [2, 3]));
  const scale = g.op('Constant', [], { value: float32([1, 10, 100]) }, { name: 'scale' });
  const two = g.op('Constant', [], { value: float32([2], []) });
  const axes = g.op('Constant', [], { value: int64([1]) });
  const powers = g.op('Pow', [g.mul(g.gather(table, ids), scale), two]);
  g.output(g.op('ReduceMean', [powers, axes], { keepdims: 0 }), 'logits');
  return g.build();
}

it('makes initializers of Constant nodes, which are no weights and which gradients can read', async () => {
  const { model, constants } = normalizeTextModel(modelWithConstantNodes(), 'model.onnx');
  expect(operatorsOf(model)).not.toContain('Constant');
  expect(constants).toContain('scale');
  expect(constants).not.toContain('table');
  expect([...model.initializers.keys()].map(({ name }) => name)).toContain('table');

  const g = new GraphBuilder();
  const table = g.input('table', 'float32', [2, 3]);
  const feeds = ['input_ids', 'attention_mask'].map(
    (name) => [name, g.input(name, 'int64', [1, 2])] as const,
  );
  const values = g.inline(model, new Map([...feeds, ['table', table]]));
  const logits = values.get('logits');
  if (!logits) throw new Error('no logits');
  const [gradient] = gradients(g, g.reduceSum(logits, { keepDims: false }), [table]);
  if (!gradient) throw new Error('no gradient');
  g.output(gradient, 'gradient');
  const session = await createNodeEngine().load(writeModel(g.build()));
  try {
    const results = await session.run({
      table: float32([1, 2, 3, 4, 5, 6], [2, 3]),
      input_ids: int64([1, 1], [1, 2]),
      attention_mask: int64([1, 1], [1, 2]),
    });
    // d (s t)^2 / dt = 2 s^2 t, for row 1 alone.
    expect(Array.from(results.gradient?.data as Float32Array)).toEqual([0, 0, 0, 8, 1000, 120_000]);
  } finally {
    await session.release();
  }
});

it('leaves a model without constants as it is read', () => {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['n', 'l']);
  g.input('attention_mask', 'int64', ['n', 'l']);
  g.output(g.gather(g.initializer('table', float32([1, 2], [2, 1])), ids), 'embeddings');
  const { model, constants } = normalizeTextModel(g.build(), 'model.onnx');
  expect(constants).toEqual([]);
  expect(operatorsOf(model)).toEqual(['Gather', 'Identity']);
});
