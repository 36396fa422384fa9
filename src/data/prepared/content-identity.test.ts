import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mixSeed } from '../../random.ts';
import { tokenizerFromVocabulary } from '../modalities/text/tokenizer/use-lite-tokenizer.ts';
import { openSource } from '../sources/index.ts';
import { decodeKeptSplits, encodeKeptSplits, type KeptSplits, keepSplits } from '../splits/kept-splits.ts';
import { type PrepareTextsOptions, prepareTexts } from '../testing/prepare-texts.ts';
import { sourceSchema } from '../testing/source-schema.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import type { TextDataset } from '../text-dataset.ts';

const tokenizer = tokenizerFromVocabulary([
  ...(['<unk>', '<s>', '</s>', '<pad>', '<4>', '<5>'].map((piece) => [piece, 0]) as [string, number][]),
  ['▁', -2],
  ...([...'abcdefghij0123456789'].map((piece) => [piece, -3]) as [string, number][]),
]);

interface Row {
  text: string;
  label: string;
}
const ROWS: Row[] = Array.from({ length: 300 }, (_, i) => ({
  text: `text ${mixSeed(7, i) >>> 0}`,
  label: ['one', 'two', 'three'][i % 3] as string,
}));

const newFolder = temporaryFolders();
let folder: string;
const opened: TextDataset[] = [];
beforeEach(async () => {
  folder = await newFolder();
});
afterEach(() => {
  for (const dataset of opened.splice(0)) dataset.close();
});

const jsonl = (rows: readonly Row[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const csv = (rows: readonly Row[]) =>
  `label,text\r\n${rows.map(({ text, label }) => `${label},"${text}"\r\n`).join('')}`;

async function prepare(
  files: Record<string, string>,
  source: object,
  more: Partial<PrepareTextsOptions> = {},
) {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  const dataset = await prepareTexts({
    source: await openSource(sourceSchema.parse(source), {
      resolvePath: (path) => join(folder, path),
      cacheFolder: folder,
    }),
    tokenizer,
    splits: { validation: 40, test: 60 },
    labelsPerClass: 'all',
    maxLength: 16,
    buckets: [16],
    seed: 1,
    onBrokenRow: 'skip',
    folder: join(folder, 'prepared'),
    ...more,
  });
  opened.push(dataset);
  return dataset;
}

/** The split of every text. */
function splitsOf({ splits }: TextDataset): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of ['train', 'validation', 'test'] as const) {
    for (let i = 0; i < splits[name].size; i++) found.set(splits[name].text(i), name);
  }
  return found;
}

const moved = (before: Map<string, string>, after: Map<string, string>) =>
  [...before].filter(([text, split]) => after.has(text) && after.get(text) !== split).length;

test('a sample stays in its split whatever the file is called, however it is written, wherever its row is', async () => {
  const first = splitsOf(await prepare({ 'a.jsonl': jsonl(ROWS) }, { kind: 'jsonl', path: 'a.jsonl' }));
  const counts = [...first.values()].reduce<Record<string, number>>((sum, name) => {
    sum[name] = (sum[name] ?? 0) + 1;
    return sum;
  }, {});
  expect(counts).toEqual({ train: 200, validation: 40, test: 60 });
  const others = [
    await prepare({ 'other.jsonl': jsonl(ROWS) }, { kind: 'jsonl', path: 'other.jsonl' }),
    await prepare({ 'a.jsonl': jsonl(ROWS.toReversed()) }, { kind: 'jsonl', path: 'a.jsonl' }),
    await prepare({ 'a.csv': csv(ROWS) }, { kind: 'csv', path: 'a.csv' }),
    await prepare(
      { 'b/1.jsonl': jsonl(ROWS.slice(0, 100)), 'b/2.jsonl': jsonl(ROWS.slice(100)) },
      { kind: 'jsonl', path: ['b/2.jsonl', 'b/1.jsonl'] },
    ),
    await prepare(Object.fromEntries(ROWS.map(({ text, label }, i) => [`texts/${label}/${i}.txt`, text])), {
      kind: 'text-folder',
      path: 'texts',
    }),
  ];
  for (const other of others) expect(splitsOf(other)).toEqual(first);
});

test('content is the same content under another name and in another format', async () => {
  const { contentHash } = await prepare({ 'a.jsonl': jsonl(ROWS) }, { kind: 'jsonl', path: 'a.jsonl' });
  const renamed = await prepare({ 'b.jsonl': jsonl(ROWS) }, { kind: 'jsonl', path: 'b.jsonl' });
  const other = await prepare({ 'a.csv': csv(ROWS) }, { kind: 'csv', path: 'a.csv' });
  expect([renamed.contentHash, other.contentHash]).toEqual([contentHash, contentHash]);
});

test('a row more moves no other, but for those that make its room', async () => {
  const first = splitsOf(await prepare({ 'a.jsonl': jsonl(ROWS) }, { kind: 'jsonl', path: 'a.jsonl' }));
  for (let i = 0; i < 20; i++) {
    const rows = [{ text: `a new text ${i}`, label: 'two' }, ...ROWS];
    const data = await prepare({ 'a.jsonl': jsonl(rows) }, { kind: 'jsonl', path: 'a.jsonl' });
    expect([data.splits.validation.size, data.splits.test.size]).toEqual([40, 60]);
    expect(moved(first, splitsOf(data))).toBeLessThanOrEqual(2);
  }
});

test('the same text is in one split, whatever its labels', async () => {
  const rows = [...ROWS, ...ROWS.map(({ text }) => ({ text, label: 'four' }))];
  const { splits } = await prepare({ 'a.jsonl': jsonl(rows) }, { kind: 'jsonl', path: 'a.jsonl' });
  const texts = (['train', 'validation', 'test'] as const).map(
    (name) => new Set(Array.from({ length: splits[name].size }, (_, i) => splits[name].text(i))),
  );
  expect(texts.reduce((sum, { size }) => sum + size, 0)).toBe(300);
  expect(splits.train.size + splits.validation.size + splits.test.size).toBe(600);
});

test('an id is the identity where the recipe names one', async () => {
  const rows = ROWS.map((row, i) => ({ ...row, id: i }));
  const edited = rows.map((row) => ({ ...row, text: `${row.text} edited` }));
  const source = { kind: 'jsonl', path: 'a.jsonl', idField: 'id' };
  const before = splitsOf(await prepare({ 'a.jsonl': jsonl(rows) }, source));
  const after = splitsOf(await prepare({ 'a.jsonl': jsonl(edited) }, source));
  for (const [text, split] of before) expect(after.get(`${text} edited`)).toBe(split);
});

test('splits are kept: rows that came are left out, and those that went or have another label are counted', async () => {
  const source = { kind: 'jsonl', path: 'a.jsonl' };
  const whole = await prepare({ 'a.jsonl': jsonl(ROWS) }, source, { labelsPerClass: 20 });
  const kept = decodeKeptSplits(encodeKeptSplits(keepSplits(whole))) as KeptSplits;
  expect(kept).toEqual(keepSplits(whole));
  const first = splitsOf(whole);

  const grown = [...ROWS, ...Array.from({ length: 90 }, (_, i) => ({ text: `new ${i}`, label: 'zero' }))];
  const same = await prepare({ 'a.jsonl': jsonl(grown.toReversed()) }, source, { kept, labelsPerClass: 20 });
  expect(splitsOf(same)).toEqual(first);
  expect(same.labels).toEqual(whole.labels);
  expect(same.splits.labelled.size).toBe(60);
  expect(same.statistics.kept).toEqual({
    missing: { train: 0, validation: 0, test: 0 },
    relabelled: { train: 0, validation: 0, test: 0 },
    // Rows of a class that the run did not know are left out before they are counted.
    added: 0,
  });

  const tests = ROWS.filter(({ text }) => first.get(text) === 'test');
  const changed = ROWS.filter((row) => row !== tests[0] && row !== tests[1]).map((row) =>
    row === tests[2] ? { ...row, label: row.label === 'one' ? 'two' : 'one' } : row,
  );
  changed.push({ text: 'came later', label: 'one' });
  const { statistics } = await prepare({ 'a.jsonl': jsonl(changed) }, source, { kept });
  expect(statistics.kept).toEqual({
    missing: { train: 0, validation: 0, test: 2 },
    relabelled: { train: 0, validation: 0, test: 1 },
    added: 1,
  });
});

test('a damaged file of kept splits is none', async () => {
  const whole = await prepare({ 'a.jsonl': jsonl(ROWS) }, { kind: 'jsonl', path: 'a.jsonl' });
  const file = encodeKeptSplits(keepSplits(whole));
  expect(decodeKeptSplits(file.subarray(0, file.length - 1))).toBeUndefined();
  expect(decodeKeptSplits(Buffer.from('{}\n'))).toBeUndefined();
  expect(decodeKeptSplits(Buffer.alloc(0))).toBeUndefined();
});

test('more broken rows than good ones end the reading, with the commonest reason', async () => {
  const rows = [
    ...ROWS.slice(0, 20).map((row) => JSON.stringify(row)),
    ...new Array(30).fill('{"text": 1}'),
    '[',
  ];
  await expect(
    prepare({ 'a.jsonl': rows.join('\n') }, { kind: 'jsonl', path: 'a.jsonl' }),
  ).rejects.toMatchObject({
    code: 'data.too-many-broken',
    message: expect.stringMatching(
      /^31 of 51 rows are broken: 30 with no text, 1 with not a JSON object; the first/,
    ),
    where: expect.stringContaining('a.jsonl:21'),
  });
  // Whoever names some of the classes means the other rows to be left out.
  const labels = ['one', 'two'];
  const some = await prepare(
    { 'b.jsonl': jsonl([...ROWS, ...ROWS.map(({ text }) => ({ text: `${text} 2`, label: 'three' }))]) },
    { kind: 'jsonl', path: 'b.jsonl' },
    { labels },
  );
  expect(some.statistics.broken.reasons).toEqual({ 'unknown-label': 400 });
});
