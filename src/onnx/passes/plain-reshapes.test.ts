import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { prepareForGradients } from '../../autodiff/prepare.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { readModel } from '../read-model.ts';
import { float32, int64, type Tensor, toNumbers } from '../tensor.ts';
import { runGraph } from '../testing/run-graph.ts';
import { plainReshapes } from './plain-reshapes.ts';

const CASES = join(import.meta.dirname, '../../../test/pytorch-gradients/cases');

it.each(['bert.torchscript.16', 'gpt2.dynamo.18'])(
  '%s has sizes as constants, and the same values for batches of any size',
  async (name) => {
    const file = join(CASES, `${name}.eval.symbolic.onnx.gz`);
    const before = prepareForGradients(readModel(gunzipSync(readFileSync(file)), { title: name }));
    const after = plainReshapes(before);
    const computed = after.nodes.filter(
      ({ opType, inputs: [, target] }) => opType === 'Reshape' && target && !after.initializers.has(target),
    );
    expect(computed).toEqual([]);
    for (const batch of [1, 4]) {
      const count = 9 * batch;
      const feeds = {
        input_0: int64(
          Array.from({ length: count }, (_, i) => 3 + ((7 * i) % 40)),
          [batch, 9],
        ),
        input_1: int64(
          Array.from({ length: count }, (_, i) => (i % 9 < 7 ? 1 : 0)),
          [batch, 9],
        ),
      };
      const [wanted, got] = [await runGraph(before, feeds), await runGraph(after, feeds)];
      expect(toNumbers(got.loss as Tensor)[0]).toBeCloseTo(toNumbers(wanted.loss as Tensor)[0] as number, 6);
    }
  },
);

it('repeats a token for each image without its width, to the same values', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['batch', 3, 2]);
  const token = g.initializer('token', float32([1, 2], [1, 1, 2]));
  const each = g.concat([g.slice(g.shapeOf(x), 0, 0, 1), g.ints([1, 2])], 0);
  g.output(g.concat([g.op('Expand', [token, each]), x], 1), 'y');
  const before = g.build();
  const after = plainReshapes(before);
  expect(after.nodes.some(({ opType }) => opType === 'Expand')).toBe(false);
  expect(after.outputs[0]?.shape).toEqual(['batch', 4, 2]);
  for (const batch of [1, 4]) {
    const feeds = {
      x: float32(
        Array.from({ length: 6 * batch }, (_, i) => i),
        [batch, 3, 2],
      ),
    };
    expect((await runGraph(after, feeds)).y).toEqual((await runGraph(before, feeds)).y);
  }
});
