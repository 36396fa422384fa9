import fs from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LimbeckError } from '../../errors.ts';
import { mixSeed } from '../../random.ts';
import { type Batch, labelsOf } from '../batch.ts';
import { batchOrder, sequentialBatches } from '../batches/batch-order.ts';
import { summarizeLengths } from '../findings/text-lengths.ts';
import type { GroundTruth } from '../ground-truth.ts';
import { classLabels } from '../labels/class-labels.ts';
import { TextProcessor } from '../modalities/text/text-processor.ts';
import type { Tokenizer } from '../modalities/text/tokenizer/tokenizer.ts';
import { tokenizerFromVocabulary } from '../modalities/text/tokenizer/use-lite-tokenizer.ts';
import type { BrokenReason, DataSource, SourceRow } from '../sample.ts';
import { decodeKeptSplits, encodeKeptSplits, keepSplits } from '../splits/kept-splits.ts';
import { idsOf, lengthOf, maskOf } from '../testing/batches.ts';
import { type PrepareTextsOptions, prepareTexts } from '../testing/prepare-texts.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import { rowOf, type TextSample } from '../testing/text-rows.ts';
import type { TextDataset } from '../text-dataset.ts';
import { outputColumns } from './dataset-parts.ts';
import { recordLayout } from './record-layout.ts';
import type { BucketFile } from './record-reader.ts';
import { RecordSplit } from './record-split.ts';

const tokenizer = tokenizerFromVocabulary([
  ...(['<unk>', '<s>', '</s>', '<pad>', '<4>', '<5>'].map((piece) => [piece, 0]) as [string, number][]),
  ['▁', -2],
  ...([...'abcdefghij0123456789'].map((piece) => [piece, -3]) as [string, number][]),
]);

/** Texts of one token more for each digit; every third of class x, y, z. */
function samplesOf(count: number): TextSample[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `s${i}`,
    group: `g${i}`,
    text: `${i}`.repeat(1 + (i % 4)),
    label: 'xyz'[i % 3] as string,
  }));
}

function brokenRows(reason: BrokenReason): SourceRow[] {
  return Array.from({ length: 12 }, (_, i) => ({ broken: { where: `r${i}`, problem: 'bad', reason } }));
}

interface CountedSource extends DataSource {
  readings: number;
}

function sourceOf(rows: (TextSample | SourceRow)[], print = 'test'): CountedSource {
  const source = {
    title: 'test rows',
    readings: 0,
    fingerprint: async () => print,
    async *rows() {
      source.readings++;
      for (const row of rows) yield 'text' in row ? rowOf(row) : row;
    },
  };
  return source;
}

const newFolder = temporaryFolders();
let folder: string;
const opened: TextDataset[] = [];

beforeEach(async () => {
  folder = await newFolder();
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const dataset of opened.splice(0)) dataset.close();
});

async function prepare(
  source: DataSource | (TextSample | SourceRow)[],
  options: Partial<PrepareTextsOptions> = {},
): Promise<TextDataset> {
  const dataset = await prepareTexts({
    source: Array.isArray(source) ? sourceOf(source) : source,
    tokenizer,
    splits: { validation: 20, test: 30 },
    labelsPerClass: 5,
    maxLength: 8,
    buckets: [3, 6, 8],
    seed: 1,
    onBrokenRow: 'skip',
    folder,
    ...options,
  });
  opened.push(dataset);
  return dataset;
}

interface ReadSample {
  id: string;
  text: string;
  label: number;
  tokens: number[];
}

function readAll(split: RecordSplit, rows = 7): ReadSample[] {
  return [...sequentialBatches(split, rows)].flatMap(({ bucket, indices }) => {
    const batch = split.readBatch(bucket, indices, rows);
    return Array.from(batch.ordinals, (ordinal, row) => {
      const from = row * lengthOf(batch);
      const tokens = maskOf(batch)
        .subarray(from, from + lengthOf(batch))
        .filter((one) => one === 1n).length;
      return {
        id: split.id(ordinal),
        text: split.text(ordinal),
        label: labelsOf(batch)[row] as number,
        tokens: Array.from(idsOf(batch).subarray(from, from + tokens), Number),
      };
    });
  });
}

describe('a data set of texts', () => {
  it('puts every sample into its split, with its tokens, text, id and label', async () => {
    const samples = samplesOf(300);
    const dataset = await prepare(samples);
    expect(dataset.labels).toEqual(['x', 'y', 'z']);
    const { train, labelled, validation, test } = dataset.splits;
    expect([validation.size, test.size, labelled.size]).toEqual([20, 30, 15]);
    expect(train.size + dataset.statistics.duplicates).toBe(250);

    const known = new Map(samples.map((sample) => [sample.id, sample]));
    for (const split of [train, labelled, validation, test]) {
      for (const { id, text, label, tokens } of readAll(split)) {
        const sample = known.get(id) as TextSample;
        expect(text).toBe(sample.text);
        expect(tokens).toEqual(tokenizer.encode(text, 8));
        if (split !== train) expect(dataset.labels[label]).toBe(sample.label);
      }
    }
    const trainLabels = readAll(train).filter(({ label }) => label >= 0);
    expect(trainLabels.map(({ id }) => id).sort()).toEqual(
      readAll(labelled)
        .map(({ id }) => id)
        .sort(),
    );
    const ids = [train, validation, test].flatMap((split) => readAll(split).map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    const heldOut = new Set([validation, test].flatMap((split) => readAll(split).map(({ text }) => text)));
    expect(readAll(train).filter(({ text }) => heldOut.has(text))).toEqual([]);
  });

  it('trains on so many samples at most, the same ones whatever their order', async () => {
    const distinct = samplesOf(300).map((sample, i) => ({ ...sample, text: `${i}` }));
    const splits = { train: 60, validation: 20, test: 30 };
    const draw = async (samples: TextSample[], seed: number) => {
      const dataset = await prepare(sourceOf(samples, `${seed} ${samples[0]?.id}`), { splits, seed });
      expect(dataset.splits.labelled.size).toBe(15);
      return readAll(dataset.splits.train)
        .map(({ id }) => id)
        .sort();
    };
    const first = await draw(distinct, 1);
    expect(first).toHaveLength(60);
    expect(await draw(distinct.toReversed(), 1)).toEqual(first);
    expect(await draw(distinct, 2)).not.toEqual(first);
  });

  it('counts what it met', async () => {
    const broken: SourceRow[] = Array.from({ length: 25 }, (_, i) => ({
      broken: { where: `row ${i}`, problem: 'not JSON' },
    }));
    const rows = [...samplesOf(200), { id: 'blank', group: 'blank', text: ' \n', label: 'x' }, ...broken];
    const { statistics } = await prepare(rows, { labelsPerClass: 'all' });
    expect(statistics.rows).toBe(226);
    expect(statistics.broken.count).toBe(26);
    expect(statistics.broken.first).toHaveLength(20);
    expect(statistics.broken.first[0]).toEqual({
      where: 'blank',
      problem: "'text' is empty",
      reason: 'text',
    });
    expect(statistics.broken.reasons).toEqual({ text: 1, other: 25 });
    const lengths = samplesOf(200).map(({ text }) => tokenizer.encode(text).length);
    expect(summarizeLengths(statistics.tokenLengths, statistics.longTexts)).toMatchObject({
      cut: lengths.filter((length) => length > 8).length,
      longest: Math.max(...lengths),
    });
    expect(statistics.tokenLengths).toEqual(
      Array.from({ length: 9 }, (_, n) => lengths.filter((length) => Math.min(length, 8) === n).length),
    );
    const sum = (counts: number[]) => counts.reduce((a, b) => a + b);
    expect(sum(statistics.classCounts.test)).toBe(30);
    expect(sum(statistics.classCounts.train) + statistics.duplicates).toBe(150);
    expect(statistics.classCounts.labelled).toEqual(statistics.classCounts.train);
  });

  it('leaves out a text that cannot be stored or read, and tells those that were damaged before', async () => {
    const encode = tokenizer.encode.bind(tokenizer);
    vi.spyOn(tokenizer, 'encode').mockImplementation((text) => {
      if (text === '666') throw new Error('no such piece');
      return encode(text);
    });
    const rows = [
      ...samplesOf(200).map((sample, i) => ({ ...sample, text: `${1000 + i}` })),
      { where: 'a:1', text: 'a\ud800', label: 'x' },
      { where: 'a:2', text: '666', label: 'x' },
      { where: 'a:3', text: 'caf\ufffd', label: 'x' },
    ];
    const { statistics } = await prepare(rows);
    expect(statistics.broken.first).toEqual([
      { where: 'a:1', problem: expect.stringContaining('surrogate'), reason: 'encoding' },
      { where: 'a:2', problem: 'the tokenizer does not read the text: no such piece', reason: 'tokens' },
    ]);
    expect(statistics.replaced).toEqual({ count: 1, first: 'a:3' });
  });

  it('goes on after a text that takes the tokenizer too long, and gives up at the third, or at Ctrl+C', async () => {
    const encode = tokenizer.encode.bind(tokenizer);
    const refuse = (code: LimbeckError['code']) =>
      vi.spyOn(tokenizer, 'encode').mockImplementation((text) => {
        if (text.startsWith('999')) throw new LimbeckError(code, 'a regular expression does not end');
        return encode(text);
      });
    const rows = (slow: number) => [
      ...samplesOf(200).map((sample, i) => ({ ...sample, text: `${1000 + i}` })),
      ...Array.from({ length: slow }, (_, i) => ({ text: `999${i}`, label: 'x' })),
    ];
    refuse('tokenizer.too-slow');
    expect((await prepare(rows(2))).statistics.broken.first).toHaveLength(2);
    await expect(prepare(sourceOf(rows(3), 'three'))).rejects.toMatchObject({ code: 'tokenizer.too-slow' });
    refuse('run.interrupted');
    await expect(prepare(sourceOf(rows(1), 'one'))).rejects.toMatchObject({ code: 'run.interrupted' });
  });

  it('does not depend on the order of rows, and depends on the seed', async () => {
    const content = async (samples: TextSample[], seed: number) => {
      const { splits } = await prepare(sourceOf(samples, `${seed} ${samples[0]?.id}`), { seed });
      return Object.values(splits).map((split) =>
        readAll(split)
          .map(({ id, label }) => `${id} ${label}`)
          .sort(),
      );
    };
    const distinct = samplesOf(300).map((sample, i) => ({ ...sample, text: `${i}` }));
    const first = await content(distinct, 1);
    expect(await content(distinct.toReversed(), 1)).toEqual(first);
    expect(await content(distinct, 2)).not.toEqual(first);
  });

  it('drops from train what is in a held-out split, and keeps groups together', async () => {
    const rows = samplesOf(100).map((sample, i) => ({
      ...sample,
      text: `${i % 50}`,
      group: `g${i >> 2}`,
    }));
    const dataset = await prepare(rows, { splits: { test: 12 }, labelsPerClass: 'all' });
    const test = readAll(dataset.splits.test);
    const train = readAll(dataset.splits.train);
    const groupOf = new Map(rows.map(({ id, group }) => [id, group]));
    expect(test).toHaveLength(12);
    expect(dataset.statistics.duplicates).toBe(100 - 12 - train.length);
    expect(dataset.statistics.duplicates).toBeGreaterThan(0);
    const testGroups = new Set(test.map(({ id }) => groupOf.get(id)));
    const testTexts = new Set(test.map(({ text }) => text));
    expect(train.filter(({ id, text }) => testGroups.has(groupOf.get(id)) || testTexts.has(text))).toEqual(
      [],
    );
  });

  it('takes samples without a label for training only', async () => {
    const rows = samplesOf(200).map((sample, i) =>
      i % 2 ? { ...sample, label: undefined } : sample,
    ) as TextSample[];
    const { splits, labels } = await prepare(
      rows.map(({ label, ...rest }) => (label ? { ...rest, label } : rest)),
    );
    expect(labels).toEqual(['x', 'y', 'z']);
    expect([...readAll(splits.test), ...readAll(splits.validation)].every(({ label }) => label >= 0)).toBe(
      true,
    );
    expect(splits.train.size).toBeGreaterThan(120);
  });

  it('numbers the classes as a given list does', async () => {
    const dataset = await prepare(samplesOf(200), { labels: ['z', 'x', 'y'] });
    for (const { id, label } of readAll(dataset.splits.test)) {
      expect(dataset.labels[label]).toBe('xyz'[Number(id.slice(1)) % 3]);
    }
    expect(dataset.labels).toEqual(['z', 'x', 'y']);
  });

  it('opens what an earlier call made, and makes anew what another source or option makes', async () => {
    const source = sourceOf(samplesOf(200));
    const first = await prepare(source);
    const again = await prepare(source);
    expect([first.reused, again.reused, source.readings]).toEqual([false, true, 1]);
    expect(again.statistics).toEqual(first.statistics);
    expect(readAll(again.splits.train)).toEqual(readAll(first.splits.train));
    expect((await prepare(source, { labelsPerClass: 6 })).reused).toBe(false);
    expect((await prepare(sourceOf(samplesOf(200), 'changed'))).reused).toBe(false);
    expect(source.readings).toBe(2);
  });

  it.each(['cut short', 'changed', 'gone', 'described otherwise'])(
    'makes it anew if a file is %s',
    async (damage) => {
      const source = sourceOf(samplesOf(200));
      const first = await prepare(source);
      const path = join(folder, (await readdir(folder))[0] as string, 'train.3');
      const bytes = fs.readFileSync(path);
      first.close();
      if (damage === 'cut short') fs.truncateSync(path, bytes.length - 1);
      else if (damage === 'gone') fs.rmSync(path);
      else if (damage === 'described otherwise') {
        const manifest = join(dirname(path), 'manifest.json');
        const text = fs.readFileSync(manifest, 'utf8');
        await writeFile(manifest, text.replace(/"title": ".*?"/, '"title": "other"'));
      } else {
        bytes[40] = (bytes[40] as number) ^ 1;
        await writeFile(path, bytes);
      }
      const told: string[] = [];
      const again = await prepare(source, { onDamaged: (folder) => told.push(folder) });
      expect(told).toHaveLength(1);
      expect([again.reused, source.readings]).toEqual([false, 2]);
      expect(readAll(again.splits.train)).toHaveLength(first.splits.train.size);
    },
  );

  it('is prepared by several at once, and none takes away what another reads', async () => {
    const source = sourceOf(samplesOf(300));
    const [first, second] = await Promise.all([prepare(source), prepare(source)]);
    expect(source.readings).toBe(2);
    expect([first.reused, second.reused].sort()).toEqual([false, true]);
    for (const { splits } of [first, second]) expect(readAll(splits.test)).toHaveLength(30);
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('removes what a killed process left', async () => {
    const first = await prepare(samplesOf(200));
    const name = (await readdir(folder))[0] as string;
    first.close();
    // No process has this id: Linux gives none above 2^22.
    fs.renameSync(join(folder, name), join(folder, `${name}.part-99999999`));
    expect((await prepare(samplesOf(200))).reused).toBe(false);
    expect(await readdir(folder)).toEqual([name]);
  });

  it.each<[string, SourceRow[] | TextSample[], Partial<PrepareTextsOptions>, string, RegExp]>([
    ['no rows', [], {}, 'data.empty', /data set is empty/],
    [
      'only broken rows',
      [{ broken: { where: 'r1', problem: 'bad' } }],
      {},
      'data.empty',
      /none of the 1 rows.*bad/,
    ],
    [
      'one class',
      samplesOf(90).filter(({ label }) => label === 'x'),
      { splits: {} },
      'data.one-class',
      /'x'/,
    ],
    [
      'no labels',
      samplesOf(9).map(({ label: _, ...rest }) => rest),
      { splits: {} },
      'data.one-class',
      /no row/,
    ],
    ['too few', samplesOf(40), {}, 'data.too-few', /only 10|only \d+ labelled/],
    ['a class without samples', samplesOf(200), { labels: ['x', 'y', 'z', 'w'] }, 'data.empty-class', /'w'/],
    ['buckets that end early', samplesOf(9), { buckets: [4] }, 'data.options', /maxLength 8/],
    ['buckets in disorder', samplesOf(9), { buckets: [6, 4, 8] }, 'data.options', /buckets/],
    ['a class twice', samplesOf(9), { labels: ['x', 'x'] }, 'data.options', /twice/],
    ['half a sample', samplesOf(9), { splits: { test: 1.5 } }, 'data.options', /splits.test is 1.5/],
    ['no labels kept', samplesOf(9), { labelsPerClass: 0 }, 'data.options', /labelsPerClass is 0/],
  ])('refuses %s, and leaves nothing behind', async (_what, rows, options, code, message) => {
    await expect(prepare(rows, options)).rejects.toMatchObject({
      name: 'LimbeckError',
      code,
      message: expect.stringMatching(message),
      remedy: expect.any(String),
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it.each<[string, SourceRow[] | TextSample[], Partial<PrepareTextsOptions>, RegExp]>([
    ['a wrong encoding', brokenRows('encoding'), {}, /encoding/],
    ['no JSON', brokenRows('json'), {}, /jq/],
    ['another column of texts', brokenRows('text'), {}, /textField/],
    ['several reasons', [...brokenRows('json'), ...brokenRows('text')], {}, /correct it/],
    ['other labels', samplesOf(90), { labels: ['X', 'Y', 'Z'] }, /data.labels/],
    [
      'groups that are too large',
      samplesOf(90).map((row) => ({ ...row, group: row.label as string })),
      {},
      /[Gg]roups/,
    ],
    [
      'a class of its own in every row',
      samplesOf(90).map((row) => ({ ...row, label: row.id as string })),
      {},
      /labelField/,
    ],
  ])('says what to do about %s', async (_what, rows, options, remedy) => {
    const error = await prepare(rows, options).then(
      () => undefined,
      (thrown: LimbeckError) => thrown,
    );
    expect(error?.remedy).toMatch(remedy);
    expect(error?.message.length).toBeLessThan(300);
  });

  it('skips or refuses a label that is not in the list, with the nearest that is', async () => {
    const rows = [...samplesOf(200), { id: 'odd', group: 'odd', text: 'abc', label: 'xx' }];
    const labels = ['x', 'y', 'z'];
    const { statistics } = await prepare(rows, { labels });
    expect(statistics.broken).toEqual({
      count: 1,
      first: [
        {
          where: 'odd',
          problem: "label 'xx' is not in data.labels (the nearest there is 'x')",
          reason: 'unknown-label',
        },
      ],
      reasons: { 'unknown-label': 1 },
    });
    await expect(prepare(rows, { labels, onBrokenRow: 'fail' })).rejects.toMatchObject({
      code: 'data.unknown-label',
      where: 'test rows, odd',
    });
    const broken: SourceRow = { broken: { where: 'row 7', problem: 'not JSON' } };
    await expect(prepare([broken], { onBrokenRow: 'fail' })).rejects.toMatchObject({
      code: 'data.broken-row',
      where: 'test rows, row 7',
    });
  });

  it('numbers classes by the value of their names, and as the data set declares them', async () => {
    const numbered = samplesOf(240).map((sample, i) => ({ ...sample, label: `${i % 12}` }));
    expect((await prepare(numbered)).labels).toEqual(Array.from({ length: 12 }, (_, i) => `${i}`));
    const declared = (names: string[]) =>
      prepare({
        ...sourceOf(samplesOf(240)),
        declares: async () => ({ label: { classes: { names, where: 'README.md' } } }),
      });
    expect((await declared(['z', 'x', 'y'])).labels).toEqual(['z', 'x', 'y']);
    // Another declaration is another data set; a class that no row has is left out, and told.
    const { labels, statistics } = await declared(['y', 'w', 'z', 'x']);
    expect(labels).toEqual(['y', 'z', 'x']);
    expect(statistics.labels?.classes.map(({ label, rows, class: number }) => [label, rows, number])).toEqual(
      [
        ['y', 80, 0],
        ['w', 0, -1],
        ['z', 80, 1],
        ['x', 80, 2],
      ],
    );
  });

  it('refuses a column of lists at once, and skips a list among other labels', async () => {
    const list: SourceRow = { sample: { where: 'row 1', values: { text: 'abc', label: [0, 2] } } };
    await expect(prepare([list, ...samplesOf(200)])).rejects.toMatchObject({
      code: 'data.multi-label',
      message:
        "several classes for a text, where one is wanted: 'label' is a list ([0,2]); a text can have one class",
      where: 'test rows, row 1',
    });
    expect((await prepare([...samplesOf(200), list])).statistics.broken.count).toBe(1);
  });

  it('renames labels, and finds texts with two of them', async () => {
    const twice = { id: 'again', group: 'again', text: '12'.repeat(2), label: 'X' };
    const rows = [...samplesOf(200), twice, { ...twice, id: undefined, label: 'y' }];
    const { statistics, labels } = await prepare(rows, { renameLabels: { X: 'x', z: null } });
    expect(labels).toEqual(['x', 'y']);
    expect(statistics.labels).toMatchObject({
      unlabelled: 66,
      noLabel: [{ value: 'z', rows: 66 }],
      contradictions: {
        texts: 1,
        rows: 2,
        first: [
          [
            { place: 'again', label: 'x' },
            { place: 'row 202 of those read', label: 'y' },
          ],
        ],
      },
    });
  });

  it('has the classes that a teacher makes of those of the data', async () => {
    const classes = {
      key: 'a',
      resolve: () => ({ labels: ['w', 'z', 'y', 'x'], classOfLabel: [3, 2, 1] }),
    };
    const dataset = await prepare(samplesOf(240), { classes });
    expect(dataset.labels).toEqual(['w', 'z', 'y', 'x']);
    expect(dataset.statistics.classCounts.labelled).toEqual([0, 5, 5, 5]);
    for (const { id, label } of readAll(dataset.splits.test)) {
      expect(dataset.labels[label]).toBe('xyz'[Number(id.slice(1)) % 3]);
    }
    // What is kept of it finds them again.
    const kept = keepSplits(dataset);
    const again = await prepare(samplesOf(240), {
      kept: decodeKeptSplits(encodeKeptSplits(kept))!,
    });
    expect(again.statistics.kept?.relabelled).toEqual({ train: 0, validation: 0, test: 0 });
    expect(again.labels).toEqual(dataset.labels);
  });

  it('says so when the disk is full, and removes the half-written files', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    vi.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw full;
    });
    await expect(prepare(samplesOf(200))).rejects.toMatchObject({
      code: 'data.disk-full',
      where: expect.stringContaining(folder),
      cause: full,
    });
    expect(await readdir(folder)).toEqual([]);
    vi.restoreAllMocks();
    expect((await prepare(samplesOf(200))).splits.test.size).toBe(30);
  });

  it('stops when it is told to, and when the source fails', async () => {
    const abort = new AbortController();
    const stopping = sourceOf(samplesOf(5000));
    const onProgress = (rows: number) => {
      if (rows === 2000) abort.abort(new Error('enough'));
    };
    await expect(prepare(stopping, { signal: abort.signal, onProgress })).rejects.toThrow('enough');
    const failing = {
      ...sourceOf([]),
      // biome-ignore lint/correctness/useYield: it fails before it yields
      async *rows() {
        throw new Error('unplugged');
      },
    };
    await expect(prepare(failing)).rejects.toThrow('unplugged');
    expect(await readdir(folder)).toEqual([]);
  });

  it('says how far it is', async () => {
    const told: number[] = [];
    await prepare(samplesOf(2500), { onProgress: (rows) => told.push(rows) });
    expect(told).toEqual([1000, 2000, 2500]);
  });
});

/** A split that is read where it lies, by a tokenizer. */
async function splitOn(path: string, split: RecordSplit, own: Tokenizer): Promise<RecordSplit> {
  const lengths = split.buckets.map(({ length }) => length as number);
  const processor = new TextProcessor({ tokenizer: own, fields: ['text'], buckets: lengths });
  const columns = outputColumns(
    [{ name: 'logits', field: 'label', truth: classLabels({}) as GroundTruth }],
    () => ({
      names: ['x', 'y', 'z'],
    }),
  );
  const buckets = split.buckets.map(
    ({ length = 0, size }): BucketFile => ({
      size,
      path: join(path, `train.${length}`),
      layout: recordLayout(length, [processor], columns, 'sequence'),
      held: false,
    }),
  );
  return new RecordSplit({
    name: 'train',
    buckets,
    shownPath: join(path, 'shown'),
    inputs: [{ name: 'text', processor }],
    outputs: [{ name: 'logits', weighted: false }],
    axis: 'sequence',
    classes: ['x', 'y', 'z'],
  });
}

describe('its splits', () => {
  it('fills a short batch with empty rows', async () => {
    const { splits } = await prepare(samplesOf(200));
    const batch = splits.train.readBatch(1, [2, 0], 4);
    expect([batch.rows, lengthOf(batch), batch.filled]).toEqual([4, 6, 2]);
    expect(Array.from(labelsOf(batch).subarray(2))).toEqual([-1, -1]);
    expect(Array.from(maskOf(batch).subarray(12))).toEqual([1n, 0n, 0n, 0n, 0n, 0n, 1n, 0n, 0n, 0n, 0n, 0n]);
    expect(Array.from(idsOf(batch).subarray(12)).every((id) => id === BigInt(tokenizer.padId))).toBe(true);
    expect(batch.keys).toHaveLength(32);
    const start = splits.train.buckets[0]!.size;
    expect(Array.from(batch.ordinals)).toEqual([start + 2, start]);
    const single = splits.train.readBatch(1, [0], 1);
    expect(batch.keys.subarray(16)).toEqual(single.keys);
  });

  it('reads the same from memory and from disk', async () => {
    const { splits } = await prepare(samplesOf(300));
    const name = (await readdir(folder))[0] as string;
    const path = join(folder, name);
    const fromDisk = await splitOn(path, splits.train, tokenizer);
    const order = batchOrder(splits.train, 16, mixSeed(3));
    for (let i = 0; i < order.batchesPerEpoch; i++) {
      const { bucket, indices } = order.batch(0, i);
      expect(fromDisk.readBatch(bucket, indices, 16)).toEqual(splits.train.readBatch(bucket, indices, 16));
    }
    fromDisk.close();
  });

  it('pads on the left where the tokenizer does', async () => {
    const { splits } = await prepare(samplesOf(300));
    const [name] = await readdir(folder);
    const length = splits.train.buckets[1]!.length as number;
    const padsLeft = Object.create(tokenizer, {
      frame: { value: { ...tokenizer.frame, paddingSide: 'left' } },
    });
    const left = await splitOn(join(folder, name!), splits.train, padsLeft);
    const moved = left.readBatch(1, [0, 1], 3);
    const usual = splits.train.readBatch(1, [0, 1], 3);
    for (const row of [0, 1]) {
      const tokens = maskOf(usual)
        .subarray(row * length, (row + 1) * length)
        .filter((one) => one === 1n).length;
      const own = (batch: Batch, from: number) =>
        [idsOf(batch), maskOf(batch)].map((values) => [
          ...values.subarray(row * length + from, row * length + from + tokens),
        ]);
      expect(tokens).toBeLessThan(length);
      expect(own(moved, length - tokens)).toEqual(own(usual, 0));
      expect(
        [...maskOf(moved).subarray(row * length, (row + 1) * length - tokens)].every((one) => one === 0n),
      ).toBe(true);
    }
    expect([...maskOf(moved).subarray(2 * length)].map(Number)).toEqual([
      ...new Array(length - 1).fill(0),
      1,
    ]);
    left.close();
  });

  it('holds ids of large vocabularies', () => {
    const bytesFor = (vocabularySize: number) => {
      const large = Object.create(tokenizer, { vocabularySize: { value: vocabularySize } }) as Tokenizer;
      return new TextProcessor({ tokenizer: large, fields: ['text'], buckets: [16] }).bytesFor(16);
    };
    expect([bytesFor(0x10000), bytesFor(0x10001)]).toEqual([32, 64]);
  });

  it('refuses samples that are not there', async () => {
    const { train } = (await prepare(samplesOf(200))).splits;
    const { size } = train.buckets[0]!;
    expect(() => train.readBatch(0, [size], 4)).toThrow(/not in the bucket/);
    expect(() => train.readBatch(0, [0, 1, 2], 2)).toThrow(/do not fit/);
    expect(() => train.readBatch(9, [0], 2)).toThrow(/no bucket 9/);
    expect(() => train.text(train.size)).toThrow(/no sample/);
  });
});
