import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { DataSource } from '../sample.ts';
import { sourceSchema } from '../testing/source-schema.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import { type TextFields, type TextSample, textRow } from '../testing/text-rows.ts';
import { openSource, SOURCES } from './index.ts';
import { definition } from './wordnet-gloss.ts';

const newFolder = temporaryFolders();
let folder: string;

beforeEach(async () => {
  folder = await newFolder();
});

const open = (options: object) =>
  openSource(sourceSchema.parse(options), {
    resolvePath: (path) => join(folder, path),
    cacheFolder: join(folder, 'cache'),
  });

async function file(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
}

async function rowsOf(source: DataSource, fields: TextFields = { text: 'text', label: 'label' }) {
  const samples: TextSample[] = [];
  const broken: string[] = [];
  const notes: string[] = [];
  const declared = (await source.declares?.())?.[fields.label];
  for await (const row of source.rows()) {
    if ('note' in row) {
      // How a file is read is told of every file: its own test looks at that.
      if (row.note.kind !== 'format') notes.push(row.note.message);
      continue;
    }
    const read = 'sample' in row ? textRow(row.sample, fields, declared) : row;
    if ('sample' in read) samples.push(read.sample);
    else broken.push(`${read.broken.where}: ${read.broken.problem}`);
  }
  return { samples, broken, notes };
}

const read = async (options: { textField?: string; labelField?: string; [option: string]: unknown }) =>
  rowsOf(await open(options), { text: options.textField ?? 'text', label: options.labelField ?? 'label' });

describe('the registry', () => {
  it('has a schema with a description for every option', () => {
    const schema = z.toJSONSchema(sourceSchema, { io: 'input' }) as {
      oneOf: { title?: string; properties: Record<string, { description?: string; const?: string }> }[];
    };
    expect(schema.oneOf.map(({ properties }) => properties.kind?.const)).toEqual(
      SOURCES.map(({ kind }) => kind),
    );
    for (const { title, properties } of schema.oneOf) {
      expect(title).toBeTruthy();
      for (const [name, { description }] of Object.entries(properties)) {
        if (name !== 'kind') expect(description, `${title}, ${name}`).toBeTruthy();
      }
    }
  });

  it('refuses unknown keys and kinds', () => {
    expect(sourceSchema.safeParse({ kind: 'jsonl', path: 'a', textfield: 'x' }).success).toBe(false);
    expect(sourceSchema.safeParse({ kind: 'xml', path: 'a' }).success).toBe(false);
    expect(sourceSchema.safeParse({ kind: 'hugging-face', dataset: '../secrets' }).success).toBe(false);
  });
});

describe('wordnet-glosses', () => {
  it('gives the 82,192 nouns in 26 classes, by synset', async () => {
    const source = await open({ kind: 'wordnet-glosses' });
    const { samples, broken } = await rowsOf(source);
    expect(broken).toEqual([]);
    expect(samples).toHaveLength(82_192);
    expect(samples[0]).toEqual({
      id: 'noun.00001740',
      group: 'noun.00001740',
      text: 'that which is perceived or known or inferred to have its own distinct existence (living or nonliving)',
      label: 'noun.Tops',
    });
    expect(new Set(samples.map(({ label }) => label)).size).toBe(26);
    expect(new Set(samples.map(({ id }) => id)).size).toBe(82_192);
    expect(samples.filter(({ text }) => text === '')).toEqual([]);
    expect(await source.fingerprint()).toContain('3.1');
  });

  it('has 45 classes over all parts of speech', async () => {
    const { samples } = await read({ kind: 'wordnet-glosses', partOfSpeech: 'all' });
    expect(samples).toHaveLength(117_791);
    expect(new Set(samples.map(({ label }) => label)).size).toBe(45);
  });

  it('keeps the definition of a gloss and leaves its examples', () => {
    expect(definition('a thing; a part; "he saw it"; "and more"  ')).toBe('a thing; a part');
    expect(definition('the quality of need: "he questioned it"')).toBe('the quality of need');
    expect(definition('reward as in "carrot and stick"; "used it"')).toBe('reward as in "carrot and stick"');
    expect(definition('plain')).toBe('plain');
  });
});

describe('wordnet-kinds', () => {
  it('gives nouns with all that they are kinds of', async () => {
    const source = await open({ kind: 'wordnet-kinds' });
    const { kinds } = (await source.declares?.()) ?? {};
    const names = kinds?.classes?.names ?? [];
    expect(names.length).toBeGreaterThan(40);
    expect(new Set(names).size).toBe(names.length);
    let [rows, belonging] = [0, 0];
    const found = new Map<string, unknown>();
    for await (const row of source.rows()) {
      if (!('sample' in row)) continue;
      rows++;
      const { text, kinds: own } = row.sample.values as { text: string; kinds: string[] };
      belonging += own.length;
      if (text.startsWith('a city in')) found.set('a city in', own);
    }
    expect(rows).toBe(82_192);
    expect(belonging / rows).toBeGreaterThan(1.5);
    expect(found.get('a city in')).toEqual(expect.arrayContaining(['location', 'region', 'urban area']));
  });
});

describe('jsonl', () => {
  it('reads rows, with numbers of lines for the broken ones', async () => {
    await file(
      'a.jsonl',
      '\ufeff{"text":"one","label":"x"}\r\n\n{"text":"two","label":3}\n{"text":\n[1]\n{"text":7}\n{"txt":"a"}\n' +
        '{"text":"  "}\n{"text":"three","label":null}\n{"text":"four","label":{"a":1}}\n{"text":"last","label":true}',
    );
    const { samples, broken } = await read({ kind: 'jsonl', path: 'a.jsonl' });
    expect(samples).toEqual([
      { where: 'a.jsonl:1', text: 'one', label: 'x' },
      { where: 'a.jsonl:3', text: 'two', label: '3' },
      { where: 'a.jsonl:9', text: 'three' },
      { where: 'a.jsonl:11', text: 'last', label: 'true' },
    ]);
    expect(broken).toEqual([
      expect.stringMatching(/^a.jsonl:4: not JSON/),
      'a.jsonl:5: not a JSON object',
      "a.jsonl:6: 'text' is a number, not text",
      "a.jsonl:7: there is no 'text' (the row has: txt)",
      "a.jsonl:8: 'text' is empty",
      'a.jsonl:10: \'label\' is {"a":1}, which is no class name',
    ]);
  });

  it('splits at line feeds only, and keeps every digit', async () => {
    await file(
      'a.jsonl',
      '{"text":"a\u2028b\u2029c\u0085d","label":12345678901234567890,"id":9007199254740993}\n{"text":"e","text":"f"}\n',
    );
    const { samples, broken } = await read({ kind: 'jsonl', path: 'a.jsonl', idField: 'id' });
    expect(samples).toEqual([
      {
        where: 'a.jsonl:1',
        id: '9007199254740993',
        text: 'a\u2028b\u2029c\u0085d',
        label: '12345678901234567890',
      },
    ]);
    expect(broken).toEqual(["a.jsonl:2: 'text' is there twice"]);
  });

  it('skips rows that are too deep or too long', async () => {
    const deep = `{"text":"a","more":${'['.repeat(5000)}${']'.repeat(5000)}}`;
    const long = `{"text":"${'x'.repeat(11 << 20)}"}`;
    await file('a.jsonl', `{"text":"one"}\n${deep}\n${long}\n{"text":"two"}\n`);
    const { samples, broken } = await read({ kind: 'jsonl', path: 'a.jsonl' });
    expect(samples.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(broken).toEqual([
      'a.jsonl:2: nested more than 100 deep',
      'a.jsonl:3: the line is longer than 10 MB',
    ]);
  });

  it('takes ids, groups and splits from fields', async () => {
    await file(
      'a.jsonl',
      '{"body":"one","id":5,"doc":"d1","part":"dev"}\n{"body":"two","id":6,"doc":"d1","part":"elsewhere"}\n' +
        '{"body":"two","doc":"d1","part":"test"}',
    );
    const { samples, broken, notes } = await read({
      kind: 'jsonl',
      path: 'a.jsonl',
      textField: 'body',
      idField: 'id',
      groupField: 'doc',
      splitField: 'part',
    });
    expect(samples).toEqual([{ where: 'a.jsonl:1', id: '5', group: 'd1', text: 'one', split: 'validation' }]);
    expect(notes).toEqual([
      "a.jsonl: there is no column 'label', so its rows have no label; its columns are body, id, doc, part",
    ]);
    expect(broken).toEqual([
      'a.jsonl:2: \'part\' is "elsewhere", not train, validation or test',
      "a.jsonl:3: 'id' is missing, no id",
    ]);
  });

  it('takes the files of each split', async () => {
    await file('train/a.jsonl', '{"text":"one","label":"x"}\n');
    await file('test/a.jsonl', '{"text":"two","label":"x"}\n');
    const { samples } = await read({
      kind: 'jsonl',
      path: { train: 'train/a.jsonl', test: ['test/a.jsonl'] },
    });
    expect(samples.map(({ where, split }) => [where, split])).toEqual([
      ['train/a.jsonl:1', 'train'],
      ['test/a.jsonl:1', 'test'],
    ]);
  });

  it('changes its fingerprint with the file and the options', async () => {
    await file('a.jsonl', '{"text":"one"}');
    const print = async (options = {}) =>
      (await open({ kind: 'jsonl', path: 'a.jsonl', ...options })).fingerprint();
    const first = await print();
    expect(await print()).toBe(first);
    expect(await print({ labelField: 'class' })).not.toBe(first);
    // A date says nothing of the content, neither a new one nor an old one.
    await utimes(join(folder, 'a.jsonl'), 1, 2);
    expect(await print()).toBe(first);
    await file('a.jsonl', '{"text":"two"}');
    await utimes(join(folder, 'a.jsonl'), 1, 2);
    expect(await print()).not.toBe(first);
  });

  it.each([
    ['missing.jsonl', undefined, 'data.missing'],
    ['json.jsonl', '[{"text":"one"}]', 'data.wrong-format'],
    ['zipped.jsonl', gzipSync('{"text":"one"}'), 'data.wrong-format'],
    ['binary.jsonl', new Uint8Array([123, 0, 1]), 'data.wrong-format'],
  ])('refuses %s', async (name, content, code) => {
    if (content) await file(name, content);
    await expect(read({ kind: 'jsonl', path: name })).rejects.toMatchObject({
      code,
      where: join(folder, name),
      remedy: expect.any(String),
    });
  });

  it('stops when it is told to', async () => {
    await file('a.jsonl', '{"text":"one"}\n'.repeat(1000));
    const source = await open({ kind: 'jsonl', path: 'a.jsonl' });
    const abort = AbortSignal.abort(new Error('enough'));
    await expect(async () => {
      for await (const _row of source.rows(abort));
    }).rejects.toThrow();
  });
});

describe('csv', () => {
  it('reads quotes and line breaks in fields, and counts columns', async () => {
    await file(
      'a.csv',
      'text,label\n"one, with ""quotes""",x\n"two\nlines",y\nthree\nfour,x,extra\n\nfive,\n',
    );
    const { samples, broken } = await read({ kind: 'csv', path: 'a.csv' });
    expect(samples.map(({ where, text, label }) => [where, text, label])).toEqual([
      ['a.csv:2', 'one, with "quotes"', 'x'],
      ['a.csv:3', 'two\nlines', 'y'],
      ['a.csv:8', 'five', undefined],
    ]);
    expect(broken).toEqual([
      'a.csv:5: 1 columns where the header has 2',
      'a.csv:6: 3 columns where the header has 2',
    ]);
  });

  it('does not take the header of a file that was joined to it for a row', async () => {
    await file('a.csv', 'text,label\none,x\n\ufefftext,label\ntwo,y\nlabel,text\n');
    const { samples, broken } = await read({ kind: 'csv', path: 'a.csv' });
    expect(samples.map(({ text }) => text)).toEqual(['one', 'two', 'label']);
    expect(broken).toEqual(['a.csv:3: the line holds the names of the columns, and no row']);
  });

  it('takes stray quotes as they stand', async () => {
    await file('a.csv', 'text,label\nthe "big" one,x\n"two"s,y\nthree,x\n');
    const { samples, broken } = await read({ kind: 'csv', path: 'a.csv' });
    expect(samples.map(({ text }) => text)).toEqual(['the "big" one', '"two"s', 'three']);
    expect(broken).toEqual([]);
  });

  it('says so when a quote is never closed', async () => {
    await file('a.csv', 'text,label\none,x\n"two,y\nthree,x\n');
    const { samples, broken } = await read({ kind: 'csv', path: 'a.csv' });
    expect(samples.map(({ text }) => text)).toEqual(['one', 'three']);
    expect(broken).toEqual([expect.stringMatching(/^a.csv:3: .*[Qq]uot/)]);
  });

  it('reads tabs, and columns without a header', async () => {
    await file('a.tsv', 'x\tone\ny\ttwo\n');
    const { samples } = await read({ kind: 'csv', path: 'a.tsv', columns: ['label', 'text'] });
    expect(samples.map(({ text, label }) => [text, label])).toEqual([
      ['one', 'x'],
      ['two', 'y'],
    ]);
  });

  it('loses no row to a lone quote, and reads all of them where quotes have no meaning', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i % 20 === 5 ? '"' : ''}text ${i}\t${'xyz'[i % 3]}`);
    await file('a.tsv', `text\tlabel\n${rows.join('\n')}\n`);
    const { samples, broken } = await read({ kind: 'csv', path: 'a.tsv' });
    expect([samples.length, broken.length]).toEqual([57, 3]);
    expect(broken[0]).toMatch(/^a.tsv:7: .*quote: none/);
    const plain = await read({ kind: 'csv', path: 'a.tsv', quote: 'none' });
    expect([plain.samples.length, plain.broken.length]).toEqual([60, 0]);
    expect(plain.samples[5]).toEqual({ where: 'a.tsv:7', text: '"text 5', label: 'z' });
  });

  it.each([';', '\t', '|'])('finds %j between columns, and says so', async (delimiter) => {
    await file('a.csv', `text${delimiter}label\none, two${delimiter}x\n`);
    const { samples, notes } = await read({ kind: 'csv', path: 'a.csv' });
    expect(samples).toEqual([{ where: 'a.csv:2', text: 'one, two', label: 'x' }]);
    expect(notes).toEqual([expect.stringMatching(/^a.csv: columns are divided by .*; not by ','/)]);
    await expect(read({ kind: 'csv', path: 'a.csv', delimiter: ',' })).rejects.toMatchObject({
      code: 'data.wrong-delimiter',
      remedy: expect.stringContaining(JSON.stringify(delimiter)),
    });
    // Without a header the number of columns tells it.
    await file('b.csv', `one, two, three${delimiter}x\n`);
    const bare = await read({ kind: 'csv', path: 'b.csv', columns: ['text', 'label'] });
    expect(bare.samples.map(({ label }) => label)).toEqual(['x']);
  });

  it("takes a spreadsheet's word for what divides columns", async () => {
    await file('a.csv', 'sep=;\r\ntext;label\r\none, two;x\r\n');
    expect(await read({ kind: 'csv', path: 'a.csv' })).toEqual({
      samples: [{ where: 'a.csv:3', text: 'one, two', label: 'x' }],
      broken: [],
      notes: [],
    });
  });

  it('refuses a column that is there twice, and tells one that it does not need', async () => {
    await file('a.csv', 'text,label,text\none,x,two\n');
    await expect(read({ kind: 'csv', path: 'a.csv' })).rejects.toMatchObject({
      code: 'data.duplicate-column',
      message: "there are several columns 'text'",
    });
    await file('b.csv', 'text,label,more,more\none,x,1,2\n');
    expect((await read({ kind: 'csv', path: 'b.csv' })).notes).toEqual([
      "b.csv: several columns are called 'more'",
    ]);
  });

  it('says which column may be meant', async () => {
    await file('a.csv', 'texts,labels\none,x\n');
    await expect(read({ kind: 'csv', path: 'a.csv' })).rejects.toMatchObject({
      code: 'data.missing-column',
      where: expect.stringContaining('texts, labels'),
      remedy: expect.stringMatching(/^Did you mean 'texts'\?/),
    });
    const { samples, notes } = await read({ kind: 'csv', path: 'a.csv', textField: 'texts' });
    expect(samples).toEqual([{ where: 'a.csv:2', text: 'one' }]);
    expect(notes).toEqual([
      "a.csv: there is no column 'label', so its rows have no label; did you mean 'labels'?",
    ]);
  });

  it('reads the encoding that it is told, and breaks rows that are not of it', async () => {
    await file('a.csv', Buffer.from('text,label\r\nSch\xf6ne Gr\xfc\xdfe,K\xf6ln\r\nplain,x\r\n', 'latin1'));
    const told = await read({ kind: 'csv', path: 'a.csv', encoding: 'latin1' });
    expect(told.samples).toEqual([
      { where: 'a.csv:2', text: 'Sch\u00f6ne Gr\u00fc\u00dfe', label: 'K\u00f6ln' },
      { where: 'a.csv:3', text: 'plain', label: 'x' },
    ]);
    const untold = await read({ kind: 'csv', path: 'a.csv' });
    expect(untold.samples).toEqual([{ where: 'a.csv:3', text: 'plain', label: 'x' }]);
    expect(untold.broken).toEqual([
      'a.csv:2: bytes that are not UTF-8; they read well as windows-1252: set encoding: windows-1252 under data.source',
    ]);
    await file('b.csv', Buffer.from('\ufefftext\tlabel\nna\u00efve\tx\n', 'utf16le'));
    expect((await read({ kind: 'csv', path: 'b.csv' })).samples).toEqual([
      { where: 'b.csv:2', text: 'na\u00efve', label: 'x' },
    ]);
    expect(sourceSchema.safeParse({ kind: 'csv', path: 'a', encoding: 'klingon' }).success).toBe(false);
  });

  it('refuses a file without the column', async () => {
    await file('a.csv', 'body,label\none,x\n');
    await expect(read({ kind: 'csv', path: 'a.csv' })).rejects.toMatchObject({
      code: 'data.missing-column',
      where: expect.stringContaining('body, label'),
    });
  });
});

describe('parquet', () => {
  it('survives a file that makes its decoder fill all memory, and names it', async () => {
    // One byte of 3,304 was changed: a run of values became longer than an array can be, which aborts the engine.
    const bytes = await readFile(new URL('../testing/one-byte-changed.parquet', import.meta.url));
    await file('hostile.parquet', bytes);
    await expect(read({ kind: 'parquet', path: 'hostile.parquet' })).rejects.toMatchObject({
      code: 'data.unreadable',
      message: expect.stringMatching(/needs more than \d+ MB of memory|ended the process/),
      where: expect.stringContaining('hostile.parquet'),
    });
  });

  /** 6 rows in 2 row groups; made with hyparquet-writer 0.17, as a data set on the hub has it. */
  const reviews = () => readFile(new URL('../testing/reviews.parquet', import.meta.url));

  it('reads row groups, and the names of class labels', async () => {
    await file('a.parquet', await reviews());
    const { samples, broken } = await read({ kind: 'parquet', path: 'a.parquet', idField: 'key' });
    expect(samples).toEqual([
      { where: 'a.parquet:1', id: 'a', text: 'good day', label: 'positive' },
      { where: 'a.parquet:2', id: 'b', text: 'a bad one', label: 'negative' },
      { where: 'a.parquet:3', id: 'c', text: 'fine weather', label: 'positive' },
      { where: 'a.parquet:5', id: 'e', text: 'awful rain' },
    ]);
    expect(broken).toEqual(["a.parquet:4: 'text' is empty", "a.parquet:6: 'text' is null, not text"]);
  });

  it('refuses a file that is cut short, is none, or has not the column', async () => {
    const whole = await reviews();
    await file('short.parquet', whole.subarray(0, whole.length - 20));
    await file('none.parquet', 'text,label');
    await file('a.parquet', whole);
    await file(
      'description.parquet',
      Buffer.concat([whole.subarray(0, 40), Buffer.from('\xff\0\0\0PAR1', 'latin1')]),
    );
    for (const [path, message, remedy] of [
      ['short.parquet', /cut short, without its description/, /Fetch the file/],
      ['description.parquet', /its description is damaged/, /Fetch the file/],
      ['none.parquet', /this is not a Parquet file/, /kind of source/],
    ] as const) {
      await expect(read({ kind: 'parquet', path })).rejects.toMatchObject({
        code: 'data.wrong-format',
        message: expect.stringMatching(message),
        remedy: expect.stringMatching(remedy),
      });
    }
    await expect(read({ kind: 'parquet', path: 'a.parquet', textField: 'body' })).rejects.toMatchObject({
      code: 'data.missing-column',
      where: expect.stringContaining('text, label, key'),
    });
  });

  it('breaks rows whose bytes are not UTF-8, and tells a missing column', async () => {
    const whole = await reviews();
    whole[whole.indexOf('good day')] = 0xff;
    await file('a.parquet', whole);
    const { samples, broken, notes } = await read({
      kind: 'parquet',
      path: 'a.parquet',
      labelField: 'lable',
    });
    expect(samples.map(({ text }) => text)).toEqual(['a bad one', 'fine weather', 'awful rain']);
    expect(broken[0]).toBe("a.parquet:1: 'text' has bytes that are not UTF-8");
    expect(notes).toEqual([
      "a.parquet: there is no column 'lable', so its rows have no label; did you mean 'label'?",
    ]);
    await expect(read({ kind: 'parquet', path: 'a.parquet', textField: 'txt' })).rejects.toMatchObject({
      code: 'data.missing-column',
      remedy: expect.stringMatching(/^Did you mean 'text'\?/),
    });
  });

  it.each(['zstd', 'lz4-hadoop', 'lz4-raw'])('reads the compression %s', async (name) => {
    await file('a.parquet', await readFile(new URL(`../testing/${name}.parquet`, import.meta.url)));
    const { samples, broken } = await read({ kind: 'parquet', path: 'a.parquet' });
    expect(broken).toEqual([]);
    expect(samples).toHaveLength(40);
    expect(samples[39]).toMatchObject({ text: 'a sentence that repeats itself, number 4', label: 'odd' });
  });

  it('refuses a compression that is not read, with what rewrites the file', async () => {
    await file('a.parquet', await readFile(new URL('../testing/lzo.parquet', import.meta.url)));
    await expect(read({ kind: 'parquet', path: 'a.parquet' })).rejects.toMatchObject({
      code: 'data.wrong-format',
      message: "the column 'text' is compressed with LZO, which is not read",
      remedy: expect.stringContaining("to_parquet('NEW', compression='zstd')"),
    });
  });

  it('says where rows are damaged', async () => {
    const whole = await reviews();
    whole.fill(0xff, 4, 60);
    await file('damaged.parquet', whole);
    await expect(read({ kind: 'parquet', path: 'damaged.parquet' })).rejects.toMatchObject({
      code: 'data.unreadable',
      where: expect.stringContaining('rows 1 to 4'),
    });
  });
});

describe('text-folder', () => {
  it('takes subfolders as classes', async () => {
    await file('texts/good/b.txt', 'nice');
    await file('texts/good/a.txt', 'fine');
    await file('texts/bad/a.txt', 'awful');
    await file('texts/bad/empty.txt', ' \n');
    await file('texts/bad/latin.txt', new Uint8Array([0xe9, 0x20, 0x41]));
    await file('texts/bad/notes.md', 'not a text of the set');
    const { samples, broken } = await read({ kind: 'text-folder', path: 'texts' });
    expect(samples.map(({ where, text, label }) => [where, text, label])).toEqual([
      [join('bad', 'a.txt'), 'awful', 'bad'],
      [join('good', 'a.txt'), 'fine', 'good'],
      [join('good', 'b.txt'), 'nice', 'good'],
    ]);
    expect(broken).toEqual([
      `${join('bad', 'empty.txt')}: the file is empty`,
      expect.stringMatching(/latin\.txt: bytes that are not UTF-8; they read well as windows-1252/),
    ]);
  });

  it('takes splits above classes', async () => {
    await file('texts/train/good/a.txt', 'fine');
    await file('texts/test/good/a.txt', 'nice');
    const { samples } = await read({ kind: 'text-folder', path: 'texts' });
    expect(samples.map(({ label, split }) => [label, split])).toEqual([
      ['good', 'test'],
      ['good', 'train'],
    ]);
  });

  it('refuses a folder that is missing or has no classes', async () => {
    await file('flat/a.txt', 'fine');
    await expect(read({ kind: 'text-folder', path: 'nowhere' })).rejects.toMatchObject({
      code: 'data.missing',
    });
    await expect(read({ kind: 'text-folder', path: 'flat' })).rejects.toMatchObject({
      code: 'data.wrong-format',
    });
  });

  it('changes its fingerprint when a text is added', async () => {
    await file('texts/good/a.txt', 'fine');
    const source = await open({ kind: 'text-folder', path: 'texts' });
    const before = await source.fingerprint();
    await file('texts/good/b.txt', 'nice');
    expect(await source.fingerprint()).not.toBe(before);
  });
});
