import { expect, it } from 'vitest';
import { createNodeEngine } from '../engine/node.ts';
import { int64 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { buildGpt2 } from './gpt2.ts';
import { nextTokenLosses } from './testing/next-token-losses.ts';

const VOCABULARY = 11;
const engine = createNodeEngine();
const student = buildGpt2(
  { width: 8, heads: 2, layers: 2 },
  { vocabularySize: VOCABULARY, maxLength: 6, random: randomStream(1, 'gpt2') },
);

/** Logits [row][token] of texts, padded on the right to `length`. */
async function logits(rows: number[][], length: number): Promise<number[][][]> {
  const session = await engine.load(writeModel(student.graph));
  const pad = (row: number[], by: number) => [...row, ...new Array(length - row.length).fill(by)];
  const { logits: result } = await session.run({
    input_ids: int64(
      rows.flatMap((row) => pad(row, 3)),
      [rows.length, length],
    ),
    attention_mask: int64(
      rows.flatMap((row) =>
        pad(
          row.map(() => 1),
          0,
        ),
      ),
      [rows.length, length],
    ),
  });
  await session.release();
  const values = Array.from(result.data as Float32Array);
  return rows.map((row, r) =>
    row.map((_, t) => values.slice((r * length + t) * VOCABULARY, (r * length + t + 1) * VOCABULARY)),
  );
}

it('does not see what comes later, nor padding', async () => {
  const [short] = await logits([[1, 2, 3]], 3);
  const [long] = await logits([[1, 2, 3, 9, 10], [4]], 6);
  short.forEach((token, t) => {
    token.forEach((value, i) => {
      expect(long[t][i]).toBeCloseTo(value, 5);
    });
  });
  const [other] = await logits([[2, 1, 3]], 3);
  expect(Math.abs(other[2][0] - short[2][0])).toBeGreaterThan(1e-6);
});

it('learns a sequence by its next tokens', async () => {
  const losses = await nextTokenLosses(student, 60, 0.02);
  // Nothing is known at first; then only the first token of either text leaves a doubt, and it is no one's next token.
  expect(losses[0]).toBeCloseTo(Math.log(VOCABULARY), 1);
  expect(losses[59]).toBeLessThan(0.05);
});
