import { expect, it } from 'vitest';
import { tokenBatch } from '../../data/testing/batches.ts';
import type { TextSplit } from '../../data/text-split.ts';
import { createNodeEngine } from '../../engine/node.ts';
import { classMetrics } from '../../metrics/class-metrics.ts';
import { tensor } from '../../onnx/tensor.ts';
import { randomStream } from '../../random.ts';
import { buildClassifierHead } from '../../students/classifier-head.ts';
import { parameterEvaluator } from './evaluate-parameters.ts';

/** Embeddings of five texts with their labels; the last one has none. */
const TEXTS = [
  { embedding: [2, 0], label: 0 },
  { embedding: [0, 2], label: 1 },
  { embedding: [1, 0], label: 1 },
  { embedding: [0, 1], label: 1 },
  { embedding: [9, 0], label: -1 },
];

const split: TextSplit = {
  name: 'validation',
  size: TEXTS.length,
  buckets: [{ length: 8, size: TEXTS.length }],
  readBatch: (_, indices, rows) =>
    tokenBatch({
      ids: new BigInt64Array(rows * 8),
      mask: new BigInt64Array(rows * 8),
      labels: Int32Array.from({ length: rows }, (_, row) => TEXTS[indices[row] as number]?.label ?? -1),
      keys: new Uint8Array(),
      ordinals: Uint32Array.from({ length: rows }, (_, row) => (indices[row] as number) ?? 0),
      rows,
      length: 8,
      filled: indices.length,
    }),
  text: () => '',
  example: () => ({ text: '' }),
  id: () => '',
  close: () => {},
};

it('evaluates the parameters that it is given, on the labelled samples of short last batches too', async () => {
  const student = buildClassifierHead({ width: 2, classes: 2, hidden: 0 }, randomStream(1, 'test'));
  const evaluator = parameterEvaluator({
    engine: createNodeEngine({ threads: 1 }),
    student,
    split,
    batchSize: 2,
    outputs: [{ output: 'logits', metrics: classMetrics({ classes: 2 }) }],
    read: (batch) => ({
      ...batch,
      sizes: { batch: batch.rows },
      columns: {
        ...batch.columns,
        embedding: tensor(
          'float32',
          [batch.rows, 2],
          Float32Array.from([...batch.ordinals].flatMap((ordinal) => TEXTS[ordinal]?.embedding ?? [0, 0])),
        ),
      },
    }),
  });
  const identity = Float32Array.from([1, 0, 0, 1]);
  const parameters = (weight: Float32Array) =>
    new Map([
      ['head/weight', weight],
      ['head/bias', new Float32Array(2)],
    ]);
  const right = await evaluator.evaluate(parameters(identity));
  // Minus the log of softmax: log(1 + e^-d) where the right class leads by d.
  const losses = [2, 2, -1, 1].map((lead) => Math.log1p(Math.exp(-lead)));
  expect(right.accuracy).toBe(0.75);
  expect(right.loss).toBeCloseTo(losses.reduce((sum, loss) => sum + loss) / 4, 6);
  const wrong = await evaluator.evaluate(parameters(Float32Array.from([0, 1, 1, 0])));
  expect(wrong.accuracy).toBe(0.25);
  await evaluator.close();
});
