import { expect, test } from 'vitest';
import { SAMPLE_KEY_BYTES } from '../../data/batch.ts';
import { targetColumns } from '../../data/batches/target-columns.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { teacherDifficulty } from './teacher-difficulty.ts';

test('a sample is as hard as its label is improbable to the teacher, or its answer where there is no label', async () => {
  // Logits (ln 3, 0): probabilities 3/4 and 1/4. The first bucket holds more samples than are read at once.
  const sizes = [300, 2];
  const labels = (bucket: number, index: number) => (bucket === 0 ? [0, 1, -1][index % 3] : 1) as number;
  const asked = {
    readBatch: (bucket: number, indices: ArrayLike<number>, rows: number) => ({
      rows,
      sizes: { batch: rows },
      columns: targetColumns(
        Int32Array.from({ length: rows }, (_, row) => labels(bucket, indices[row] as number)),
        rows,
      ),
      keys: new Uint8Array(rows * SAMPLE_KEY_BYTES),
    }),
  };
  const space = {
    info: { dims: [2] },
    read(keys: Uint8Array, into: Float32Array) {
      for (let row = 0; row < keys.length / SAMPLE_KEY_BYTES; row++) into.set([Math.log(3), 0], 2 * row);
    },
  };
  const heads = [{ output: 'logits', labels: 'labels', target: { kind: 'class' } }];
  const data = { heads, asked, dataset: { splits: { train: { buckets: sizes.map((size) => ({ size })) } } } };
  const spaces = new Map([['logits', space as unknown as LabelSpace]]);
  const [first, second] = await teacherDifficulty({} as never, data as never, { spaces });
  expect(first).toHaveLength(300);
  [0, 1, 2, 297, 298, 299].forEach((index) => {
    expect(first?.[index]).toBeCloseTo(index % 3 === 1 ? 0.75 : 0.25, 6);
  });
  expect([...(second as Float32Array)]).toEqual([0.75, 0.75]);
});
