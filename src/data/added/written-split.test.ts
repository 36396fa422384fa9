import { expect, it } from 'vitest';
import { tensor } from '../../onnx/tensor.ts';
import type { Batch } from '../batch.ts';
import { ATTENTION_MASK, INPUT_IDS, LABELS, ROW_WEIGHTS, SEQUENCE } from '../columns.ts';
import type { Split } from '../split.ts';
import { WrittenSplit } from './written-split.ts';

const LENGTHS = [4, 6];

/** Documents that nobody reads here: rows that are empty. */
const documents: Split = {
  name: 'train',
  size: 2,
  buckets: LENGTHS.map((length) => ({ size: 1, length })),
  readBatch(bucket, indices, rows): Batch {
    const length = LENGTHS[bucket] as number;
    return {
      rows,
      filled: indices.length,
      keys: new Uint8Array(),
      ordinals: new Uint32Array(),
      sizes: { batch: rows, [SEQUENCE]: length },
      columns: {
        [INPUT_IDS]: tensor('int64', [rows, length], new BigInt64Array(rows * length)),
        [ATTENTION_MASK]: tensor('int64', [rows, length], new BigInt64Array(rows * length)),
        [LABELS]: tensor('int32', [rows, length], new Int32Array(rows * length)),
        [ROW_WEIGHTS]: tensor('float32', [rows], new Float32Array(rows)),
      },
    };
  },
  example: () => ({ text: '' }),
  close() {},
};
const TEXTS = [
  { ids: [1, 2, 3, 4, 5], promptLength: 2 },
  { ids: [6, 7, 8], promptLength: 1 },
  { ids: [6, 7, 9], promptLength: 1 },
];
const written = (paddedLeft: boolean) =>
  new WrittenSplit(documents, {
    lengths: TEXTS.map(({ ids }) => ids.length),
    read: (texts) => texts.map((text) => TEXTS[text] as (typeof TEXTS)[number]),
    labels: LABELS,
    paddedLeft,
    decode: (ids) => ids.join(' '),
  });
const rowsOf = ({ columns }: Batch, name: string) => {
  const { data, dims } = columns[name] as { data: Int32Array; dims: readonly number[] };
  const values = Array.from(data, Number);
  return Array.from({ length: dims[0] as number }, (_, row) =>
    values.slice(row * (dims[1] ?? 1), (row + 1) * (dims[1] ?? 1)),
  );
};

it('has texts in the buckets that they fit, and asks for what was written alone', () => {
  const split = written(false);
  expect(split.buckets.map(({ size }) => size)).toEqual([2, 1]);
  const long = split.readBatch(1, [0], 1);
  expect(rowsOf(long, INPUT_IDS)).toEqual([[1, 2, 3, 4, 5, 0]]);
  expect(rowsOf(long, ATTENTION_MASK)).toEqual([[1, 1, 1, 1, 1, 0]]);
  // After 2, the last token of the beginning, comes the first that was written.
  expect(rowsOf(long, LABELS)).toEqual([[-1, 3, 4, 5, -1, -1]]);
  expect([...long.ordinals]).toEqual([2]);
  const short = split.readBatch(0, [1, 0], 3);
  expect(rowsOf(short, LABELS)).toEqual([
    [7, 9, -1, -1],
    [7, 8, -1, -1],
    [-1, -1, -1, -1],
  ]);
  expect(rowsOf(short, ROW_WEIGHTS)).toEqual([[1], [1], [0]]);
  expect(short.keys.slice(0, 16)).not.toEqual(short.keys.slice(16, 32));
  expect(split.readBatch(0, [0], 1).keys).toEqual(short.keys.slice(16, 32));
  expect(split.example(2).text).toBe('1 2 3 4 5');
});

it('has them at the end of rows that are padded in front', () => {
  const short = written(true).readBatch(0, [0], 1);
  expect(rowsOf(short, INPUT_IDS)).toEqual([[0, 6, 7, 8]]);
  expect(rowsOf(short, LABELS)).toEqual([[-1, 7, 8, -1]]);
});

it('refuses a text that fits nowhere', () => {
  const text = { ids: [1, 2, 3, 4, 5, 6, 7], promptLength: 1 };
  expect(
    () =>
      new WrittenSplit(documents, {
        lengths: [text.ids.length],
        read: () => [text],
        labels: LABELS,
        paddedLeft: false,
        decode: () => '',
      }),
  ).toThrow('a text of 7 tokens fits in no bucket');
});
