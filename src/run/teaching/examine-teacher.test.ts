import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Split } from '../../data/split.ts';
import { tokenBatch } from '../../data/testing/batches.ts';
import { createNodeEngine } from '../../engine/node.ts';
import { float } from '../../onnx/attributes.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { writeModelFile } from '../../onnx/node-files.ts';
import { float32 } from '../../onnx/tensor.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { examineTeacher } from './examine-teacher.ts';

const folder = mkdtempSync(join(tmpdir(), 'limbeck-examined-'));
afterAll(() => rmSync(folder, { recursive: true }));
const engine = createNodeEngine({ threads: 1 });

/** Twenty texts of 1 to 4 tokens, padded to 6 with token 0. */
const split = {
  name: 'validation',
  size: 20,
  buckets: [{ size: 20, length: 6 }],
  readBatch(_bucket, indices, rows) {
    const [ids, mask] = [new BigInt64Array(rows * 6), new BigInt64Array(rows * 6)];
    for (let row = 0; row < rows; row++) {
      const index = indices[row] ?? 0;
      for (let i = 0; i <= index % 4; i++) {
        ids[6 * row + i] = BigInt(1 + ((index + i) % 4));
        mask[6 * row + i] = 1n;
      }
    }
    return tokenBatch({
      rows,
      length: 6,
      filled: indices.length,
      ids,
      mask,
      labels: new Int32Array(rows),
      keys: new Uint8Array(16 * indices.length),
      ordinals: Uint32Array.from(indices),
    });
  },
  example: () => ({ text: '' }),
  close() {},
} satisfies Split;

/** The texts' mean over a table of scores for three classes: of their own tokens, or of the padding too. */
async function examine(choice: {
  readonly ignoresMask?: boolean;
  /** Scores of the padding. */
  readonly padding?: readonly number[];
  readonly end?: (g: GraphBuilder, scores: TypedValue) => TypedValue;
}) {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = g.cast(g.input('attention_mask', 'int64', ['batch', 'sequence']), 'float32');
  const rows = [...(choice.padding ?? [0, 0, 0]), 3, -1, 0.5, -1, 3, 0, 0, -2, 3, 2, 1, -1];
  const embedded = g.gather(g.initializer('table', float32(rows, [5, 3])), ids);
  const counted = choice.ignoresMask ? g.add(g.mul(mask, 0), 1) : mask;
  const column = g.unsqueeze(counted, [2]);
  const mean = g.div(
    g.reduceSum(g.mul(embedded, column), { axes: [1], keepDims: false }),
    g.reduceSum(column, { axes: [1], keepDims: false }),
  );
  g.output(choice.end ? choice.end(g, mean) : g.identity(mean), 'logits');
  const file = join(folder, 'model.onnx');
  writeModelFile(file, g.build());
  const warnings: string[] = [];
  const run = { engine, recipe: {}, warn: (text: string) => warnings.push(text), checkInterrupted() {} };
  const data = {
    task: { unit: 'texts', preprocessing: 'p' },
    dataset: { splits: { validation: split, train: split } },
    teacherTitle: 'T',
  };
  const form = await examineTeacher(run as unknown as RunContext, data as unknown as TaskData, file);
  return { form, warnings };
}

const noise = (scale: number) => (g: GraphBuilder, scores: TypedValue) =>
  g.add(scores, g.op('RandomNormalLike', [scores], { scale: float(scale) }));

describe('a teacher', () => {
  it('that answers well has nothing to be said of it', async () => {
    expect(await examine({})).toEqual({ form: undefined, warnings: [] });
    expect(await examine({ padding: [5, 0, 0] })).toEqual({ form: undefined, warnings: [] });
  });

  it('that ignores its mask is refused, or warned of where that changes little', async () => {
    await expect(examine({ ignoresMask: true, padding: [5, 0, 0] })).rejects.toMatchObject({
      code: 'teacher.padding',
      remedy: expect.stringContaining('attention_mask'),
    });
    const { warnings } = await examine({ ignoresMask: true });
    expect(warnings).toEqual([expect.stringMatching(/depend on the padding.*0 of 8 samples another class/)]);
  });

  it('that is never sure is refused as well where the padding decides', async () => {
    const unsure = (g: GraphBuilder, scores: TypedValue) => g.mul(scores, 1e-3);
    const padded = examine({ ignoresMask: true, padding: [5, 0, 0], end: unsure });
    await expect(padded).rejects.toMatchObject({ code: 'teacher.padding' });
    expect((await examine({ end: unsure })).warnings).toEqual([]);
  });

  it('that draws its answers is refused, or warned of where it does so little', async () => {
    await expect(examine({ end: noise(10) })).rejects.toMatchObject({ code: 'teacher.random' });
    const { warnings } = await examine({ end: noise(0.03) });
    expect(warnings[0]).toContain('answers at random');
  });

  it('whose outputs look like probabilities is taken for what they are', async () => {
    // In parts that nothing tells from other products.
    const parts = (g: GraphBuilder, x: TypedValue) => g.mul(g.softmax(x), g.scalar(1));
    expect(await examine({ end: parts })).toEqual({
      form: 'softmax',
      warnings: [expect.stringContaining('sum to 1')],
    });
    const gates = (g: GraphBuilder, x: TypedValue) => g.mul(g.sigmoid(x), g.scalar(1));
    expect(await examine({ end: gates })).toEqual({
      form: 'sigmoid',
      warnings: [expect.stringContaining('sigmoids')],
    });
  });
});
