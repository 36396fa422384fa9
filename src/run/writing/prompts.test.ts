import { expect, it } from 'vitest';
import { type Batch, SAMPLE_KEY_BYTES } from '../../data/batch.ts';
import { ATTENTION_MASK, INPUT_IDS, LABELS, SEQUENCE } from '../../data/columns.ts';
import { tensor } from '../../onnx/tensor.ts';
import { beginnings } from './prompts.ts';

/** Rows of tokens, 0 for padding, and of what comes next. */
function batchOf(ids: readonly number[][], next: readonly number[][]): Batch {
  const [rows, length] = [ids.length, ids[0]?.length as number];
  const int64 = (values: readonly number[]) => BigInt64Array.from(values, BigInt);
  return {
    rows,
    filled: rows,
    keys: new Uint8Array(rows * SAMPLE_KEY_BYTES),
    ordinals: new Uint32Array(rows),
    sizes: { batch: rows, [SEQUENCE]: length },
    columns: {
      [INPUT_IDS]: tensor('int64', [rows, length], int64(ids.flat())),
      [ATTENTION_MASK]: tensor('int64', [rows, length], int64(ids.flat().map((id) => Math.sign(id)))),
      [LABELS]: tensor('int32', [rows, length], Int32Array.from(next.flat())),
    },
  };
}

it('begins documents with so many tokens, and leaves short ones out', () => {
  const batch = batchOf(
    [
      [5, 6, 7, 8],
      [5, 6, 0, 0],
      [0, 5, 6, 7],
    ],
    [
      [6, 7, 8, -1],
      [6, -1, -1, -1],
      [-1, 6, 7, -1],
    ],
  );
  const found = beginnings(batch, LABELS, 2);
  expect(found.map(({ length }) => length)).toEqual([2, 0, 2]);
  // Padding in front is not part of a text.
  expect(found.map(({ ids }) => ids)).toEqual([
    [5, 6, 7, 8],
    [5, 6],
    [5, 6, 7],
  ]);
});

it('begins conversations with all before the first answer, and leaves those out of which nothing is asked', () => {
  const batch = batchOf(
    [
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, 4, 5, 6],
    ],
    [
      [-1, -1, 4, 5, -1, -1],
      [-1, -1, -1, -1, -1, -1],
    ],
  );
  // After 3 the answer begins, with 4.
  expect(beginnings(batch, LABELS, 2).map(({ length }) => length)).toEqual([3, 0]);
});
