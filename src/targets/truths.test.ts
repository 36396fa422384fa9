import { describe, expect, it } from 'vitest';
import type { GroundTruth, TruthContext } from '../data/ground-truth.ts';
import { useLiteTokenizer } from '../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { type Tensor, tensor } from '../onnx/tensor.ts';
import { numberTruth } from './numbers-truth.ts';
import { severalClassesTruth } from './several-classes-truth.ts';
import { tagNames, tokenTagsTruth } from './token-tags-truth.ts';
import { vectorTruth } from './vectors-truth.ts';

const CONTEXT: TruthContext = { output: 'logits', field: 'value', title: 'rows.csv', notes: [] };

/** What the columns hold after all rows were read; rows that are broken by their problem. */
function readAll<Value, Space>(
  truth: GroundTruth<Value, Space>,
  rows: readonly unknown[],
  texts: readonly string[] = [],
  sequence = 8,
): { space: Space; columns: Record<string, Tensor>; broken: string[] } {
  const reader = truth.begin(CONTEXT);
  const broken: string[] = [];
  const values = rows.map((raw, i) => {
    try {
      const text = texts[i];
      const encoded =
        text === undefined ? {} : { text: { bytes: new Uint8Array(), length: sequence, shown: text } };
      return reader.read(raw, { where: `rows.csv:${i + 2}`, encoded });
    } catch (error) {
      broken.push((error as Error).message);
      return undefined;
    }
  });
  for (const value of values) if (value !== undefined) reader.fit?.(value);
  const { space, final = (value: Value) => value } = reader.finish();
  const columns: Record<string, Tensor> = {};
  for (const { name, type, shape, pad } of truth.columns(space, 'labels')) {
    const dims = [rows.length, ...shape.map((dim) => (dim === 'sequence' ? sequence : Number(dim)))];
    const size = dims.reduce((product, dim) => product * dim, 1);
    const data = (type === 'int32' ? new Int32Array(size) : new Float32Array(size)).fill(pad);
    columns[name] = tensor(type, dims, data);
  }
  values.forEach((value, row) => {
    if (value !== undefined) truth.write(final(value), columns, row, space, 'labels');
  });
  return { space, columns, broken };
}

const dataOf = ({ columns }: { columns: Record<string, Tensor> }) =>
  Array.from(columns.labels!.data as Float32Array);

describe('several classes', () => {
  it('are read of records, in which nobody may know of a class', () => {
    const read = readAll(severalClassesTruth({ separator: '|', empty: 'unknown' }), [
      { b: 1, a: null },
      { a: 0, b: -1 },
      { a: null, b: null },
      { b: true, a: false },
      { a: 'yes' },
    ]);
    expect(read.space).toEqual({ names: ['a', 'b'] });
    expect(dataOf(read)).toEqual([-1, 1, 0, -1, -1, -1, 0, 1, -1, -1]);
    expect(read.broken).toEqual(["'value' says of 'a' neither 1 nor 0"]);
  });

  it('are read of lists and of texts, in the order of their names; empty texts say nothing', () => {
    const read = readAll(severalClassesTruth({ separator: '|', empty: 'unknown' }), [
      'b|a',
      ['c'],
      '',
      [],
      'a | a',
    ]);
    expect(read.space).toEqual({ names: ['a', 'b', 'c'] });
    expect(dataOf(read)).toEqual([1, 1, 0, /**/ 0, 0, 1, /**/ -1, -1, -1, /**/ 0, 0, 0, /**/ 1, 0, 0]);
  });

  it('break rows whose class has no name or is not listed, and refuse a column without any', () => {
    const truth = severalClassesTruth({ labels: ['b', 'a'], separator: ',', empty: 'none' });
    const read = readAll(truth, ['a,b', 'a,,b', 'c', '']);
    expect(read.broken).toEqual([
      "'value' has a class without a name",
      "class 'c' in 'value' is not one of those listed",
    ]);
    expect(dataOf(read)).toEqual([1, 1, /**/ -1, -1, /**/ -1, -1, /**/ 0, 0]);
    expect(() => readAll(severalClassesTruth({ separator: '|', empty: 'unknown' }), [''])).toThrow(
      /no row has a class/,
    );
  });
});

describe('numbers', () => {
  it('are read with their mean and spread; what is no number breaks its row', () => {
    const read = readAll(numberTruth(), [1, '3', null, '-2e0', 'many', Number.POSITIVE_INFINITY, 6n]);
    expect(dataOf(read)).toEqual([1, 3, Number.NaN, -2, Number.NaN, Number.NaN, 6]);
    expect(read.broken).toEqual(["'value' is no number", "'value' is no number"]);
    expect(read.space.mean).toBe(2);
    expect(read.space.deviation).toBeCloseTo(Math.sqrt((1 + 1 + 16 + 16) / 3), 5);
  });

  it('are refused where they are all one', () => {
    expect(() => readAll(numberTruth(), [4, '4.0'])).toThrow(/is 4 in all labelled training samples/);
    expect(() => readAll(numberTruth(), [null])).toThrow(/no labelled training sample has a number/);
  });
});

it('vectors have one width, and are read of lists and of JSON', () => {
  const read = readAll(vectorTruth(), [[1, 2], '[3, 4]', [5], [6, 'x'], 'no', new Float32Array([7, 8])]);
  expect(read.space).toEqual({ width: 2 });
  expect(dataOf(read).filter((value) => !Number.isNaN(value))).toEqual([1, 2, 3, 4, 7, 8]);
  expect(read.broken).toHaveLength(3);
});

describe('token tags', () => {
  const texts = ['Alice Smith went to Rome', 'Bob stays'];

  it('are made of spans of characters', async () => {
    const tokenizer = await useLiteTokenizer();
    const spans = [
      [
        { start: 0, end: 11, label: 'PER' },
        { start: 20, end: 24, label: 'LOC' },
      ],
      [{ start: 0, end: 3, label: 'PER' }],
    ];
    const read = readAll(tokenTagsTruth({}, tokenizer), spans, texts, 12);
    const tags = tagNames(read.space);
    expect(tags).toEqual(['O', 'B-LOC', 'I-LOC', 'B-PER', 'I-PER']);
    const rows = [0, 1].map((row) =>
      dataOf(read)
        .slice(row * 12, (row + 1) * 12)
        .map((tag) => (tag < 0 ? '-' : (tags[tag] as string))),
    );
    const used = rows.map((row) => row.filter((tag) => tag !== '-'));
    expect(used[0]?.filter((tag) => tag.endsWith('PER'))[0]).toBe('B-PER');
    expect(used[0]?.filter((tag) => tag === 'B-PER')).toHaveLength(1);
    expect(used[0]?.filter((tag) => tag === 'B-LOC')).toHaveLength(1);
    expect(used[0]).toHaveLength(tokenizer.encode(texts[0]!).length);
    expect(used[1]?.[0]).toBe('B-PER');
    expect(used[1]?.at(-1)).toBe('O');
  });

  it('are made of a tag for each word, whose first token counts', async () => {
    const tokenizer = await useLiteTokenizer();
    const read = readAll(
      tokenTagsTruth({}, tokenizer),
      [['B-PER', 'I-PER', 'O', 'O', 'B-LOC'], 'B-PER O'],
      texts,
      12,
    );
    const used = dataOf(read)
      .filter((tag) => tag >= 0)
      .map((tag) => tagNames(read.space)[tag]);
    expect(used).toEqual(['B-PER', 'I-PER', 'O', 'O', 'B-LOC', 'B-PER', 'O']);
  });

  it('break rows that do not fit their text', async () => {
    const tokenizer = await useLiteTokenizer();
    const rows = [[{ start: 0, end: 99, label: 'X' }], ['O'], [{ start: 0, end: 3, label: 'PER' }]];
    const read = readAll(tokenTagsTruth({}, tokenizer), rows, ['Alice', 'Bob stays', 'Bob'], 4);
    expect(read.broken).toEqual([
      "'value' has the span 0 to 99 in a text of 5 characters",
      "'value' has 1 tags for 2 words",
    ]);
  });
});
