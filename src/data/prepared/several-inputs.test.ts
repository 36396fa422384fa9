import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labelsOf } from '../batch.ts';
import { sequentialBatches } from '../batches/batch-order.ts';
import { BrokenValue } from '../broken-value.ts';
import type { GroundTruth } from '../ground-truth.ts';
import { classLabels } from '../labels/class-labels.ts';
import type { Processor } from '../modalities/modality.ts';
import { TextProcessor } from '../modalities/text/text-processor.ts';
import { tokenizerFromVocabulary } from '../modalities/text/tokenizer/use-lite-tokenizer.ts';
import type { DataSource } from '../sample.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import type { PreparedDataset } from './dataset-manifest.ts';
import type { DatasetInput, DatasetOutput } from './dataset-parts.ts';
import { type PrepareOptions, prepareDataset } from './prepare-dataset.ts';

const tokenizer = tokenizerFromVocabulary([
  ...(['<unk>', '<s>', '</s>', '<pad>', '<4>', '<5>'].map((piece) => [piece, 0]) as [string, number][]),
  ['▁', -2],
  ...([...'abcdefghij0123456789'].map((piece) => [piece, -3]) as [string, number][]),
]);

/** Two bytes that are a column of their own; odd ones take a moment, and 13 is broken. */
const bytes: Processor = {
  forBackbones: {},
  hash: 'two bytes',
  columns: [{ name: 'two_values', type: 'float32', shape: [2], pad: 7, role: 'input' }],
  bytesFor: () => 2,
  encode(raw) {
    const value = Number(raw);
    if (value === 13) throw new BrokenValue('image', 'thirteen');
    const encoded = { bytes: Uint8Array.of(value, value + 1), facts: { odd: value % 2 } };
    return value % 2 === 0
      ? encoded
      : new Promise((resolve) => setTimeout(() => resolve(encoded), value % 5));
  },
  vary: (kept, { view }) => kept.map((byte) => byte + 100 * view),
  decode(kept, columns, row) {
    const values = columns.two_values?.data as Float32Array;
    values.set(kept, 2 * row);
  },
  example: (kept) => ({ text: `[${kept.join(', ')}]` }),
  files: () => ({}),
};

/** A number as a column, which is counted where it is there. */
const number: GroundTruth<number, { least: number }> = {
  hash: 'number',
  marksMissing: false,
  begin() {
    let least = Number.POSITIVE_INFINITY;
    return {
      read(raw) {
        if (raw === undefined) return undefined;
        if (typeof raw !== 'number') throw new BrokenValue('value', 'no number');
        least = Math.min(least, raw);
        return raw;
      },
      finish: () => ({ space: { least } }),
    };
  },
  columns: (_, name) => [
    { name, type: 'float32', shape: [], pad: 0, role: 'target' },
    { name: `${name}/squared`, type: 'float64', shape: [1], pad: -1, role: 'target' },
  ],
  write(value, columns, row, { least }, name) {
    (columns[name]?.data as Float32Array)[row] = value - least;
    (columns[`${name}/squared`]?.data as Float64Array)[row] = value * value;
  },
};

const text = (fields = ['text'], prefix?: string) =>
  new TextProcessor({ tokenizer, fields, buckets: [4, 12], ...(prefix !== undefined && { prefix }) });
const TEXT: DatasetInput = { name: 'text', fields: ['text'], modality: 'text', processor: text() };
const BYTES: DatasetInput = { name: 'image', fields: ['byte'], modality: 'image', processor: bytes };
const CLASS: DatasetOutput = { name: 'logits', field: 'label', truth: classLabels({}) as GroundTruth };
const NUMBER: DatasetOutput = { name: 'size', field: 'size', truth: number as GroundTruth };

interface Row {
  readonly [column: string]: unknown;
}

/** A third of the rows lack the text, a third the byte; every fifth has no class, every fourth no number. */
const ROWS: Row[] = Array.from({ length: 120 }, (_, i) => ({
  ...(i % 3 !== 0 && { text: `${1000 + i}` }),
  ...(i % 3 !== 1 && { byte: 20 + i }),
  ...(i % 5 !== 0 && { label: 'xy'[i % 2] }),
  ...(i % 4 !== 0 && { size: i }),
}));

const newFolder = temporaryFolders();
let folder: string;
const opened: PreparedDataset[] = [];
beforeEach(async () => {
  folder = await newFolder();
});
afterEach(() => {
  for (const dataset of opened.splice(0)) dataset.close();
});

function sourceOf(rows: readonly Row[]): DataSource {
  return {
    title: 'rows',
    fingerprint: async () => JSON.stringify(rows),
    async *rows() {
      for (const [i, values] of rows.entries()) yield { sample: { where: `rows:${i + 1}`, values } };
    },
  };
}

async function prepare(rows: readonly Row[], more: Partial<PrepareOptions> = {}) {
  const dataset = await prepareDataset({
    source: sourceOf(rows),
    inputs: [TEXT, BYTES],
    outputs: [CLASS, NUMBER],
    splits: { validation: 10, test: 10 },
    labelsPerClass: 'all',
    seed: 1,
    onBrokenRow: 'skip',
    folder,
    ...more,
  });
  opened.push(dataset);
  return dataset;
}

/** Every row of a split's batches, by column. */
function rowsOf({ splits }: PreparedDataset, name: 'train' | 'validation' | 'test' = 'train') {
  const split = splits[name];
  return [...sequentialBatches(split, 7)].flatMap(({ bucket, indices }) => {
    const batch = split.readBatch(bucket, indices, 7);
    return Array.from({ length: batch.filled }, (_, row) => ({
      example: split.example(batch.ordinals[row] as number).text,
      columns: Object.fromEntries(
        Object.entries(batch.columns).map(([column, { data, dims }]) => {
          const width = data.length / (dims[0] as number);
          return [column, Array.from(data.slice(row * width, (row + 1) * width) as Float32Array, Number)];
        }),
      ) as Record<string, number[]>,
    }));
  });
}

it('held-out samples that share an input with training samples are counted, unless groups keep them together', async () => {
  // Four texts of each image.
  const captions = Array.from({ length: 120 }, (_, i) => ({
    ...{ text: `${1000 + i}`, byte: 20 + Math.floor(i / 4), label: 'xy'[i % 2] },
  }));
  const { statistics } = await prepare(captions);
  expect(statistics.shared?.text).toEqual({ heldOut: 20, shared: 0 });
  expect(statistics.shared?.image?.heldOut).toBe(20);
  expect(statistics.shared?.image?.shared).toBeGreaterThan(10);
  const grouped: DataSource = {
    ...sourceOf(captions),
    fingerprint: async () => 'grouped',
    async *rows() {
      for (const [i, values] of captions.entries())
        yield { sample: { where: `rows:${i + 1}`, values, group: `${values.byte}` } };
    },
  };
  const whole = { source: grouped, splits: { validation: 12, test: 12 } };
  expect((await prepare([], whole)).statistics.shared?.image).toMatchObject({ shared: 0 });
});

describe('several inputs and outputs', () => {
  it('are columns, and weights say which of them a row has', async () => {
    const dataset = await prepare(ROWS);
    const { broken, inputs } = dataset.statistics;
    expect(broken.count).toBe(0);
    expect([inputs?.text?.missing, inputs?.image?.missing]).toEqual([40, 40]);
    const rows = (['train', 'validation', 'test'] as const).flatMap((name) => rowsOf(dataset, name));
    // Rows without any ground truth, held out by nobody, are there as well.
    expect(rows).toHaveLength(120);
    const byByte = new Map(
      rows.flatMap(({ columns }) =>
        columns['row_weights/image']?.[0] === 1 ? [[columns.two_values?.[0], columns]] : [],
      ),
    );
    for (const [i, { text: own, byte, label, size }] of ROWS.entries()) {
      if (byte === undefined) continue;
      const row = byByte.get(byte as number) ?? {};
      expect(row.two_values).toEqual([byte, 21 + i]);
      expect(row['row_weights/text']).toEqual([own === undefined ? 0 : 1]);
      if (own === undefined) expect(row.attention_mask?.reduce((a, b) => a + b)).toBe(1);
      else
        expect(
          row.input_ids?.slice(
            0,
            row.attention_mask?.reduce((a, b) => a + b),
          ),
        ).toEqual(tokenizer.encode(own as string));
      expect(row.labels).toEqual([label === undefined ? -1 : label === 'x' ? 0 : 1]);
      expect(row['row_weights/size']).toEqual([size === undefined ? 0 : 1]);
      expect(row['labels/size']).toEqual([size === undefined ? 0 : (size as number) - 1]);
      expect(row['labels/size/squared']).toEqual([size === undefined ? -1 : (size as number) ** 2]);
      expect(row.row_weights).toEqual([1]);
    }
    const without = rows.find(({ columns }) => columns['row_weights/image']?.[0] === 0);
    expect(without?.columns.two_values).toEqual([7, 7]);
    expect(rows.map(({ example }) => example)).toContain('1002 · [22, 23]');
  });

  it('break their row where none is there, and where one cannot be read, in the order of the rows', async () => {
    const rows = [...ROWS, { label: 'x' }, { byte: 13, label: 'x' }, { byte: 3, size: 'large' }];
    const { statistics } = await prepare(rows);
    expect(statistics.rows).toBe(123);
    expect(statistics.broken.first).toEqual([
      { where: 'rows:121', problem: "none of 'text', 'byte' has a value", reason: 'missing' },
      { where: 'rows:122', problem: 'thirteen', reason: 'image' },
      { where: 'rows:123', problem: 'no number', reason: 'value' },
    ]);
    // Of the row that is broken by its number nothing is counted.
    const odd = ROWS.filter(({ byte }) => byte !== undefined && (byte as number) % 2 === 1);
    expect(statistics.inputs?.image?.facts.odd).toEqual({
      samples: odd.length,
      total: odd.length,
      first: 'rows:4',
    });
  });

  it('are varied, and a variant is a sample of its own', async () => {
    const { splits } = await prepare(
      ROWS.filter(({ byte }) => byte !== undefined),
      { inputs: [BYTES] },
    );
    const views = splits.train.withViews({ count: 2, seed: 1, options: {} });
    expect(views.size).toBe(2 * splits.train.size);
    const [plain, varied] = [views, views].map((split, i) =>
      split.readBatch(0, [5 + i * splits.train.size], 1),
    );
    expect(plain?.keys).toEqual(splits.train.readBatch(0, [5], 1).keys);
    expect(varied?.keys).not.toEqual(plain?.keys);
    const first = plain?.columns.two_values?.data[0] as number;
    expect(varied?.columns.two_values?.data[0]).toBe((first + 100) % 256);
    expect(varied?.columns.labels?.data).toEqual(plain?.columns.labels?.data);
  });

  it('need no ground truth at all', async () => {
    const { splits, labels } = await prepare(ROWS, { outputs: [] });
    expect(labels).toEqual([]);
    expect([splits.train.size, splits.validation.size, splits.test.size]).toEqual([100, 10, 10]);
    expect(Object.keys(splits.train.readBatch(0, [0], 1).columns)).not.toContain('labels');
  });

  it('hide all that is known of a sample together', async () => {
    const { splits, statistics } = await prepare(ROWS, { labelsPerClass: 5 });
    // Five of x, five of y, and five of those of which only the number is known.
    expect(splits.labelled.size).toBe(15);
    const { columns } = splits.train.readBatch(
      0,
      Array.from({ length: 30 }, (_, i) => i),
      30,
    );
    const labels = labelsOf({ columns });
    const weights = columns['row_weights/size']?.data as Float32Array;
    expect(labels.filter((label) => label >= 0).length).toBeLessThan(12);
    expect(weights.reduce((a, b) => a + b)).toBeLessThan(16);
    expect(statistics.classCounts.train.reduce((a, b) => a + b)).toBeGreaterThan(60);
  });

  it.each<[string, Partial<PrepareOptions>, RegExp, RegExp]>([
    [
      'two columns of one name',
      { inputs: [TEXT, { ...TEXT, name: 'other' }] },
      /'input_ids'/,
      /inputs.text and inputs.other/,
    ],
    [
      'an input and an output of one name',
      { outputs: [{ ...NUMBER, name: 'text' }] },
      /'text'/,
      /inputs.text and outputs.text/,
    ],
    ['no input', { inputs: [] }, /0 inputs/, /inputs/],
    [
      'lengths that differ',
      {
        inputs: [
          TEXT,
          {
            ...TEXT,
            name: 'b',
            processor: new TextProcessor({ tokenizer, fields: ['b'], buckets: [8], prefix: 'b' }),
          },
        ],
      },
      /different lengths/,
      /sequence \[4, 12\], sequence \[8\]/,
    ],
  ])('are refused with their place: %s', async (_, more, message, where) => {
    await expect(prepare(ROWS, more)).rejects.toMatchObject({
      code: 'data.options',
      message: expect.stringMatching(message),
      where: expect.stringMatching(where),
    });
  });

  it('may be two texts, with columns of their own in buckets of the longer one', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({
      text: `${i}`,
      second: `${100000 + i}`,
      label: 'xy'[i % 2],
    }));
    const second: DatasetInput = {
      name: 'second',
      fields: ['second'],
      modality: 'text',
      processor: text(['second'], 'second'),
    };
    const { splits } = await prepare(rows, {
      inputs: [TEXT, second],
      outputs: [CLASS],
      splits: { validation: 4 },
    });
    expect(splits.train.buckets.map(({ length, size }) => [length, size > 0])).toEqual([
      [4, false],
      [12, true],
    ]);
    const { columns } = splits.train.readBatch(1, [0], 1);
    expect(Object.keys(columns).slice(0, 4)).toEqual([
      'input_ids',
      'attention_mask',
      'second_input_ids',
      'second_attention_mask',
    ]);
    expect(columns.second_input_ids?.dims).toEqual([1, 12]);
  });
});
