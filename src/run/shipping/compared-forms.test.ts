import { expect, it } from 'vitest';
import { withExits } from '../../compress/exits/kept-exits.ts';
import type { Split } from '../../data/split.ts';
import { tokenBatch } from '../../data/testing/batches.ts';
import { createNodeEngine } from '../../engine/node.ts';
import type { Graph } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32 } from '../../onnx/tensor.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { fineScore } from './compared-forms.ts';

/** Two texts of one token, which is their class. */
const split = {
  name: 'validation',
  size: 2,
  buckets: [{ size: 2, length: 1 }],
  readBatch: (_bucket, indices, rows) =>
    tokenBatch({
      rows,
      length: 1,
      filled: indices.length,
      ids: BigInt64Array.from({ length: rows }, (_, row) => BigInt(indices[row] ?? 0)),
      mask: new BigInt64Array(rows).fill(1n),
      labels: Int32Array.from({ length: rows }, (_, row) => indices[row] ?? 0),
      keys: new Uint8Array(16 * indices.length),
      ordinals: Uint32Array.from(indices),
    }),
  example: () => ({ text: '' }),
  close() {},
} satisfies Split;

/** Logits of `sure` for the right class, and 0 for the other, at an exit and at the end. */
function network(atExit: number, atEnd: number): Graph {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const head = (name: string, sure: number) => {
    const table = g.initializer(`${name}/table`, float32([sure, 0, 0, sure], [2, 2]));
    return g.output(g.reduceMean(g.gather(table, ids), { axes: [1], keepDims: false }), name);
  };
  head('logits', atEnd);
  head('exit_1/logits', atExit);
  const exits = [{ output: 'exit_1/logits', layer: 'first' }];
  return withExits(g.build(), {
    output: 'logits',
    confidence: 'probability',
    maxDrop: 0,
    weight: 1,
    self: 1,
    parts: false,
    shared: false,
    exits,
  });
}

it('of a network with exits all heads tell forms apart, not the last alone', async () => {
  const run = { engine: createNodeEngine({ threads: 1 }), checkInterrupted() {} } as unknown as RunContext;
  const heads = [{ output: 'logits', labels: 'labels', target: { kind: 'class' } }];
  const data = { heads, dataset: { splits: { validation: split } } } as unknown as TaskData;
  const score = await fineScore(run, data, network(2, 2));
  const crossEntropy = (sure: number) => Math.log(1 + Math.exp(-sure));
  expect(await score(network(2, 2))).toBeCloseTo(-crossEntropy(2), 6);
  expect(await score(network(1, 2))).toBeCloseTo(-(crossEntropy(1) + crossEntropy(2)) / 2, 6);
});
