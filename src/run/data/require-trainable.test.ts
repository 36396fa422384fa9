import { expect, test } from 'vitest';
import type { Split } from '../../data/split.ts';
import { float32 } from '../../onnx/tensor.ts';
import { pairs } from '../../targets/pairs.ts';
import { requireTrainable } from './require-trainable.ts';

/** Rows as whether they have a text and an image. */
function split(name: string, rows: readonly (readonly [text: number, image: number])[]): Split {
  const column = (indices: ArrayLike<number>, side: 0 | 1, size: number) =>
    float32(
      Array.from({ length: size }, (_, i) => (i < indices.length ? rows[indices[i] as number]![side] : 0)),
      [size],
    );
  return {
    name,
    size: rows.length,
    buckets: [{ size: rows.length }],
    readBatch: (_, indices, size) => ({
      rows: size,
      filled: indices.length,
      ordinals: Uint32Array.from(indices),
      keys: new Uint8Array(0),
      sizes: {},
      columns: {
        'row_weights/caption': column(indices, 0, size),
        'row_weights/photo': column(indices, 1, size),
      },
    }),
    example: () => ({ text: '' }),
    close() {},
  };
}

type Rows = Parameters<typeof split>[1];
const BOTH: Rows = [[1, 1]];
const HALVES: Rows = Array.from({ length: 40 }, (_, i) => (i % 2 ? [1, 0] : [0, 1]));

function data(train: Rows, validation: Rows, test: Rows) {
  const splits = {
    train: split('train', train),
    labelled: split('labelled', train),
    validation: split('validation', validation),
    test: split('test', test),
  };
  const statistics = {
    rows: 9,
    broken: { count: 2, first: [], reasons: { json: 2 } },
    duplicates: 3,
    unlabelledHeldOut: 0,
  };
  const inputs = [
    { name: 'caption', modality: 'text' },
    { name: 'photo', modality: 'image' },
  ];
  return {
    dataset: { title: 'rows.jsonl', splits, statistics, inputs },
    heads: [{ output: 'pairs', target: pairs }],
  } as unknown as Parameters<typeof requireTrainable>[0];
}

test('pairs are refused where a split has no row with both sides', () => {
  expect(() => requireTrainable(data([...HALVES, [1, 1]], BOTH, BOTH))).not.toThrow();
  expect(() => requireTrainable(data(BOTH, HALVES, HALVES))).toThrow(
    expect.objectContaining({
      code: 'data.no-pairs',
      message: expect.stringMatching(/both 'caption' and 'photo' among the samples for validation, test/),
      remedy: expect.stringContaining('inputs.photo.field'),
    }),
  );
  expect(() => requireTrainable(data(HALVES, BOTH, BOTH))).toThrow(/for train:/);
});

test('data without training samples are refused with what became of the rows', () => {
  expect(() => requireTrainable(data([], BOTH, BOTH))).toThrow(
    expect.objectContaining({
      code: 'data.no-training',
      message: expect.stringMatching(
        /9 rows were read, 2 of them broken \(2 with not a JSON object\), 3 duplicates/,
      ),
    }),
  );
});

test('the recall of pairs counts rows with both sides', () => {
  const sides = ['row_weights/caption', 'row_weights/photo'];
  const [recall] = pairs.metrics({ options: { width: 1 }, space: { width: 2 }, labels: 'labels', sides });
  const state = recall!.start();
  const columns = {
    'row_weights/caption': float32([1, 1, 0], [3]),
    'row_weights/photo': float32([1, 0, 1], [3]),
  };
  // The row with both sides finds itself; the others are nearer to everything, and are no candidates.
  recall!.add(state, float32([0.5, 0.5, 1, 1, 1, 1], [3, 2]), { filled: 3, ordinals: [0, 1, 2], columns });
  expect(recall!.value(state)).toBe(1);
});
