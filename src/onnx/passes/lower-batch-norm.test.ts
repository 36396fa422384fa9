import { expect, it } from 'vitest';
import { createNodeEngine } from '../../engine/node.ts';
import { randomStream } from '../../random.ts';
import { float } from '../attributes.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { float32, toNumbers } from '../tensor.ts';
import { writeModel } from '../write-model.ts';
import { lowerBatchNorm } from './lower-batch-norm.ts';

const random = randomStream(1, 'lower-batch-norm');
const draw = (dims: number[], low = -1) =>
  float32(
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => low + 2 * random.uniform()),
    dims,
  );

it.each([[[4, 3]], [[2, 3, 5]], [[2, 3, 4, 5]]])('gives what the kernel gives for %j', async (shape) => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', shape);
  const rest = ['scale', 'bias', 'mean', 'variance'].map((name) => g.initializer(name, draw([3], 0.2)));
  const outputs = g.node(
    'BatchNormalization',
    [x, ...rest],
    { training_mode: 1, epsilon: float(0.01), momentum: float(0.7) },
    { outputs: 3 },
  );
  outputs.forEach((value, i) => {
    g.output(value, `out${i}`);
  });
  const graph = g.build();
  const lowered = lowerBatchNorm(graph);
  expect(lowered.nodes.filter(({ attributes }) => attributes.has('training_mode'))).toEqual([]);
  const feeds = { x: draw(shape) };
  const [expected, found] = await Promise.all(
    [graph, lowered].map(async (one) => (await createNodeEngine().load(writeModel(one))).run(feeds)),
  );
  for (const name of ['out0', 'out1', 'out2']) {
    const wanted = toNumbers(expected![name]!);
    toNumbers(found![name]!).forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i]!, 4);
    });
  }
});
