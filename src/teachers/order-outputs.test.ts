import { afterAll, expect, test } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { orderOutputs } from './order-outputs.ts';

const engine = createNodeEngine({ threads: 1 });
const sessions: { release(): Promise<void> }[] = [];
afterAll(async () => {
  for (const session of sessions) await session.release();
});

function classifier(classes: number) {
  const g = new GraphBuilder();
  const x = g.input('pixel_values', 'float32', ['n', 2]);
  const weights = Array.from({ length: 2 * classes }, (_, i) => i);
  g.output(g.matMul(x, g.initializer('class_order', float32(weights, [2, classes]))), 'logits');
  g.output(g.identity(x), 'embedding');
  return g.build('classifier');
}

test('every output is where it is wanted, for batches of any size; other outputs stay', async () => {
  const ordered = orderOutputs(classifier(3), [2, 0, 1]);
  expect(ordered.outputs.map(({ name, shape }) => [name, shape])).toEqual([
    ['logits', ['n', 3]],
    ['embedding', ['n', 2]],
  ]);
  const session = await engine.load(writeModel(ordered));
  sessions.push(session);
  const { logits, embedding } = await session.run(
    { pixel_values: float32([1, 0, 0, 1], [2, 2]) },
    { logits: null, embedding: null },
  );
  expect([...(logits!.data as Float32Array)]).toEqual([2, 0, 1, 5, 3, 4]);
  expect([...(embedding!.data as Float32Array)]).toEqual([1, 0, 0, 1]);
});

test('a model in the right order is not touched', () => {
  const model = classifier(3);
  expect(orderOutputs(model, [0, 1, 2])).toBe(model);
});
