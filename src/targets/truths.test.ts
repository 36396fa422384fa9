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
): { space: Space; columns: Record<string, Tensor>; broken: string[]; notes: string[] } {
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
  const { space, final = (value: Value) => value, notes = [] } = reader.finish();
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
  return { space, columns, broken, notes: notes.map(({ message }) => message) };
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

describe('several classes in other notations', () => {
  const options = { separator: '|', empty: 'unknown' } as const;

  it('are lists in texts, as JSON, Python and numpy write them', () => {
    const read = readAll(severalClassesTruth(options), [
      '["a", "b"]',
      "['b', 'c']",
      "['a' 'c']",
      "{'a'}",
      `["it's", 'c']`,
      '[]',
    ]);
    expect(read.space).toEqual({ names: ['a', 'b', 'c', "it's"] });
    const rows = [
      1, 1, 0, 0, /**/ 0, 1, 1, 0, /**/ 1, 0, 1, 0, /**/ 1, 0, 0, 0, /**/ 0, 0, 1, 1, /**/ 0, 0, 0, 0,
    ];
    expect(dataOf(read)).toEqual(rows);
  });

  it('may have a 0 or 1 for each class that is listed; without a list such rows are broken, not classes 0 and 1', () => {
    const listed = readAll(severalClassesTruth({ ...options, labels: ['a', 'b', 'c'] }), [
      [1, 0, 0],
      [true, false, true],
      '[0, 0, 0]',
      [1, 0],
    ]);
    expect(dataOf(listed).slice(0, 9)).toEqual([1, 0, 0, /**/ 1, 0, 1, /**/ 0, 0, 0]);
    expect(listed.broken).toHaveLength(1);
    const unlisted = readAll(severalClassesTruth(options), [['x'], [1, 0, 0], [0, 1, 0]]);
    expect(unlisted.broken[0]).toMatch(/a 0 or 1 for each class.*outputs\.logits\.labels/);
    expect(unlisted.space).toEqual({ names: ['x'] });
    const two = readAll(severalClassesTruth(options), [[0], [1], [0, 1]]);
    expect(two.space).toEqual({ names: ['0', '1'] });
  });

  it('are not there by half: probabilities break their row, and NaN is unknown', () => {
    const read = readAll(severalClassesTruth(options), [
      { a: 1, b: Number.NaN },
      { a: 0.7, b: 0.3 },
      { a: 0, b: 1 },
    ]);
    expect(read.broken).toEqual(["'value' says 0.7 of 'a', which is neither 1 nor 0"]);
    expect(dataOf(read)).toEqual([1, -1, /**/ -1, -1, /**/ 0, 1]);
  });

  it('tell of another separator that parts names into other names', () => {
    const told = (rows: readonly string[]) => readAll(severalClassesTruth(options), rows).notes;
    expect(told(['a', 'b', 'a;b'])[0]).toMatch(/'a;b'.*separator: ';'/);
    expect(told(['a', 'b', 'a, b'])[0]).toMatch(/separator: ','/);
    expect(told(['a|b', 'b', 'a;b'])).toEqual([]);
    expect(told(['cats, small', 'dogs'])).toEqual([]);
  });
});

describe('numbers', () => {
  it('are not there where tables say so', () => {
    const read = readAll(numberTruth(), [Number.NaN, ' ', 'NaN', 'NA', 'null', 1, 2]);
    expect(read.broken).toEqual([]);
    expect(dataOf(read).slice(0, 5).every(Number.isNaN)).toBe(true);
  });

  it('with commas break their rows, and say why', () => {
    const read = readAll(numberTruth(), ['3,5', '1', '2']);
    expect(read.broken[0]).toMatch(/'value' is "3,5".*set outputs\.\w+\.decimal: ','/);
  });

  it('with points that may divide thousands are read as decimals, which is told', () => {
    const notes = (rows: readonly string[]) => readAll(numberTruth(), rows).notes;
    expect(notes(['1.250', '2.500', '950'])[0]).toMatch(
      /1\.250 and the like, which are read as 1\.25:.*decimal: ','/,
    );
    expect(notes(['1.250', '2.5'])).toEqual([]);
    expect(notes(['0.125', '1.250'])).toEqual([]);
    expect(readAll(numberTruth({ decimal: '.' }), ['1.250', '2.500']).notes).toEqual([]);
  });

  it.each(['1.250.000', '1.250,50', '3,5'])('beside %s, such points stop the run', (other) => {
    expect(() => readAll(numberTruth(), ['1.250', '950', other])).toThrow(
      expect.objectContaining({
        code: 'data.ambiguous-numbers',
        message: expect.stringContaining(`has ${other}, so that 1.250 is 1250 rather than 1.25`),
        remedy: expect.stringMatching(/outputs\.\w+\.decimal/),
      }),
    );
  });

  it('are read by their decimal mark, where it is said', () => {
    const european = readAll(numberTruth({ decimal: ',' }), [
      '1.250,50',
      '3,5',
      '950',
      "1'250",
      '1.5',
      '-2 000',
    ]);
    expect(dataOf(european)).toEqual([1250.5, 3.5, 950, 1250, Number.NaN, -2000]);
    expect(european.broken).toEqual([expect.stringMatching(/"1.5", which is 1.5/)]);
    const english = readAll(numberTruth({ decimal: '.' }), [
      '1,250.50',
      '3.5',
      '1,250',
      '1,25',
      '1e3',
      '+1,000,000',
    ]);
    expect(dataOf(english)).toEqual([1250.5, 3.5, 1250, Number.NaN, 1000, 1e6]);
    expect(english.broken).toHaveLength(1);
  });

  it('are read with their mean and spread; what is no number breaks its row', () => {
    const read = readAll(numberTruth(), [1, '3', null, '-2e0', 'many', Number.POSITIVE_INFINITY, 6n]);
    expect(dataOf(read)).toEqual([1, 3, Number.NaN, -2, Number.NaN, Number.NaN, 6]);
    expect(read.broken).toEqual([
      `'value' is "many", which is no number`,
      "'value' is null, which float32 cannot hold",
    ]);
    expect(read.space.mean).toBe(2);
    expect(read.space.deviation).toBeCloseTo(Math.sqrt((1 + 1 + 16 + 16) / 3), 5);
  });

  it('are refused where float32 does not tell them apart', () => {
    const seconds = [1.7e9, 1.7e9 + 30, 1.7e9 + 60];
    expect(() => readAll(numberTruth(), seconds)).toThrow(/around 1700000030 and differ by less than/);
    const year = [1.7e9, 1.7e9 + 1e7, 1.7e9 + 2e7];
    expect(readAll(numberTruth(), year).broken).toEqual([]);
  });

  it('are refused where they are all one', () => {
    expect(() => readAll(numberTruth(), [4, '4.0'])).toThrow(/is 4 in all labelled training samples/);
    expect(() => readAll(numberTruth(), [null])).toThrow(/no labelled training sample has a number/);
  });
});

it('vectors have one width, and are read of lists and of JSON', () => {
  const read = readAll(vectorTruth(), [
    [1, 2],
    '[3, 4]',
    [5],
    [6, 'x'],
    'no',
    new Float32Array([7, 8]),
    [0, 0],
  ]);
  expect(read.space).toEqual({ width: 2 });
  expect(dataOf(read).filter((value) => !Number.isNaN(value))).toEqual([1, 2, 3, 4, 7, 8]);
  expect(read.broken).toHaveLength(4);
  expect(read.broken.at(-1)).toBe("'value' has zeros alone, which point nowhere");
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

  it('are counted in code points where the own text of a span says so, and broken where it says otherwise', async () => {
    const tokenizer = await useLiteTokenizer();
    const text = '\u{1F600} Rome fell';
    const rows = [
      [{ start: 2, end: 6, label: 'LOC', text: 'Rome' }],
      [{ start: 3, end: 7, label: 'LOC', text: 'Rome' }],
      [{ start: 3, end: 7, label: 'LOC' }],
      [{ start: 4, end: 8, label: 'LOC', text: 'Rome' }],
      [{ start: 1, end: 7, label: 'LOC' }],
    ];
    const read = readAll(
      tokenTagsTruth({}, tokenizer),
      rows,
      rows.map(() => text),
      8,
    );
    const [codePoints, units, unsaid] = [0, 1, 2].map((row) => dataOf(read).slice(8 * row, 8 * row + 8));
    expect(codePoints).toEqual(units);
    expect(unsaid).toEqual(units);
    expect(read.broken).toEqual([
      `'value' has the span 4 to 8, which says "Rome" where the text has "ome "`,
      "'value' has the span 1 to 7, which divides a character: positions are UTF-16 units",
    ]);
  });

  it('tell of spans that overlap', async () => {
    const tokenizer = await useLiteTokenizer();
    const spans = [
      { start: 0, end: 11, label: 'PER' },
      { start: 6, end: 11, label: 'NAME' },
      { start: 11, end: 12, label: 'NAME' },
    ];
    const read = readAll(tokenTagsTruth({}, tokenizer), [spans], texts, 12);
    expect(read.notes).toEqual([expect.stringMatching(/^1 spans in 'value' overlap.*rows\.csv:2/)]);
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
