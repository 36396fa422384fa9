import { expect, it } from 'vitest';
import type { Split } from '../../data/split.ts';
import { tokenBatch } from '../../data/testing/batches.ts';
import { createNodeEngine } from '../../engine/node.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32 } from '../../onnx/tensor.ts';
import type { Member } from '../../teachers/several/combine.ts';
import type { RunContext } from '../context/run-context.ts';
import { membersInLogits } from './members-in-logits.ts';

const engine = createNodeEngine({ threads: 1 });

/** Ten texts of one token of five. */
const split = {
  name: 'validation',
  size: 10,
  buckets: [{ size: 10, length: 1 }],
  readBatch: (_bucket, indices, rows) =>
    tokenBatch({
      rows,
      length: 1,
      filled: indices.length,
      ids: BigInt64Array.from({ length: rows }, (_, row) => BigInt((indices[row] ?? 0) % 5)),
      mask: new BigInt64Array(rows).fill(1n),
      labels: new Int32Array(rows),
      keys: new Uint8Array(16 * indices.length),
      ordinals: Uint32Array.from(indices),
    }),
  example: () => ({ text: '' }),
  close() {},
} satisfies Split;

/** Scores of three classes for each token, brought to a form by operators that do not say which. */
function member(end: (g: GraphBuilder, scores: TypedValue) => TypedValue): Member {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const scores = [3, -1, 0.5, -1, 3, 0, 0, -2, 3, 2, 1, -1, 0, 1, 2];
  const table = g.initializer('table', float32(scores, [5, 3]));
  g.output(end(g, g.reduceMean(g.gather(table, ids), { axes: [1], keepDims: false })), 'logits');
  return { model: g.build() };
}

it('takes logarithms of outputs that only look like probabilities, and tells whose they are', async () => {
  const scores = member((g, x) => g.identity(x));
  const disguised = member((g, x) => {
    const powers = g.exp(x);
    return g.div(powers, g.reduceSum(powers, { axes: [1] }));
  });
  const warnings: string[] = [];
  const run = {
    engine,
    recipe: {},
    folder: { file: (name: string) => name },
    warn: (text: string) => warnings.push(text),
    checkInterrupted() {},
  };
  const found = await membersInLogits(run as unknown as RunContext, [scores, disguised], ['a', 'b'], {
    dataset: { columns: [], splits: { train: split, labelled: split, validation: split, test: split } },
    task: { preprocessing: 'p' },
  });
  expect(warnings).toEqual([
    "b's outputs are probabilities (they sum to 1): their logarithms are taken as its logits",
  ]);
  expect(found[0]).toBe(scores);
  expect(found[1]?.model.nodes.some(({ opType }) => opType === 'Log')).toBe(true);
  expect(found[1]?.model.outputs.map(({ name }) => name)).toEqual(['logits']);
});
