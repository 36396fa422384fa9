import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { prepareForGradients } from '../../autodiff/prepare.ts';
import { readModel } from '../read-model.ts';
import { int64, type Tensor, toNumbers } from '../tensor.ts';
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
