import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { surveyFile } from './survey-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-survey-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function surveyOf(name: string, content: string | Uint8Array) {
  writeFileSync(join(folder, name), content);
  return surveyFile(join(folder, name));
}

const TEXTS = Array.from({ length: 40 }, (_, i) => `message number ${i}, with "quotes"; and more`);
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

const image = (height: number, width: number): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: { r: 9, g: 9, b: 9 } } })
    .png()
    .toBuffer();

/** A WAV file of 16-bit zeros. */
function silence(rate: number, samples: number): Buffer {
  const head = Buffer.from('RIFF....WAVEfmt ....................data....', 'latin1');
  head.writeUInt32LE(36 + 2 * samples, 4);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(2 * rate, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.writeUInt32LE(2 * samples, 40);
  return Buffer.concat([head, Buffer.alloc(2 * samples)]);
}

describe('surveyFile', () => {
  it.each([',', ';', '\t', '|'])('finds that columns are divided by %j', async (delimiter) => {
    const rows = TEXTS.map((text, i) => [`id-${i}`, i % 3 ? 'ham' : 'spam', quoted(text)].join(delimiter));
    const found = await surveyOf(
      'mails.csv',
      `${['mail_id', 'category', 'body'].join(delimiter)}\n${rows.join('\n')}\n`,
    );
    expect(found).toMatchObject({ kind: 'csv', rows: 40, more: false, notes: [] });
    expect(found.options).toEqual(delimiter === ',' ? {} : { delimiter });
    expect(found.choice).toEqual({ textField: 'body', labelField: 'category', idField: 'mail_id' });
    expect(found.texts).toEqual(TEXTS);
    expect(found.columns.find(({ name }) => name === 'category')).toMatchObject({
      distinct: 2,
      values: [
        ['ham', 26],
        ['spam', 14],
      ],
    });
  });

  it('takes the tab of a TSV file for granted', async () => {
    const found = await surveyOf(
      'a.tsv',
      `text\tlabel\n${TEXTS.map((text, i) => `${text}\t${i % 2}`).join('\n')}\n`,
    );
    expect(found.options).toEqual({});
    expect(found.choice).toEqual({ textField: 'text', labelField: 'label' });
  });

  it('finds a file without a header', async () => {
    const found = await surveyOf('a.csv', TEXTS.map((text, i) => `${i % 2},${quoted(text)}\n`).join(''));
    expect(found.options).toEqual({ columns: ['column 1', 'column 2'] });
    expect(found.notes).toEqual(['its first line is not a header']);
    expect(found.choice).toEqual({ textField: 'column 2', labelField: 'column 1' });
    expect(found.rows).toBe(40);
  });

  it('takes the index of pandas, and delimiters at the ends of lines, for columns without a name', async () => {
    const rows = TEXTS.map((text, i) => [`${i}`, quoted(text), `${i % 2}`, ''].join(','));
    const found = await surveyOf('a.csv', `,text,label,\n${rows.join('\n')}\n`);
    expect(found.options).toEqual({});
    expect(found.notes).toEqual([]);
    expect(found.choice).toEqual({ textField: 'text', labelField: 'label' });
    expect(found.rows).toBe(40);
  });

  it('finds quotes after backslashes, single quotes, and says why no row can be read', async () => {
    const rows = (quote: string, inner: string) =>
      `text,label\n${TEXTS.map((text, i) => `${quote}${inner}${text}${inner}, yes${quote},${i % 2}\n`).join('')}`;
    expect((await surveyOf('a.csv', rows('"', '\\"'))).options).toEqual({ escape: '\\' });
    expect((await surveyOf('a.csv', rows("'", ''))).options).toEqual({ quote: "'" });
    const uneven = `text,label\n${TEXTS.map((text) => `${text},a,b,c,d\n`).join('')}`;
    await expect(surveyOf('a.csv', uneven)).rejects.toMatchObject({ code: 'data.wrong-format' });
  });

  it('finds lists of names in texts', async () => {
    const rows = TEXTS.map((text, i) => `${text}\t${i % 2 ? "['cat', 'dog']" : '["cat"]'}\n`);
    const found = await surveyOf('a.tsv', `text\ttags\n${rows.join('')}`);
    expect(found.choice).toEqual({ textField: 'text', classesField: 'tags' });
  });

  it('finds the encoding', async () => {
    const text = `text,label\n${TEXTS.map((_, i) => `garçon très élégant, où ça ${i};café\n`)
      .join('')
      .replaceAll(',', ' ')
      .replaceAll(';', ',')}`;
    const latin = Buffer.from(text, 'latin1');
    expect((await surveyOf('a.csv', latin)).options).toEqual({ encoding: 'windows-1252' });
    expect((await surveyOf('a.csv', Buffer.from(text, 'utf8'))).options).toEqual({});
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
    expect((await surveyOf('a.csv', utf16)).options).toEqual({});
    expect((await surveyOf('a.csv', utf16.subarray(2))).options).toEqual({ encoding: 'utf-16le' });
  });

  it('proposes no encoding that would lose lines in UTF-8, and tells of quotes that are never closed', async () => {
    const start = `text,label\n${'one garçon,café\n'.repeat(5)}`;
    const mixed = Buffer.concat([Buffer.from(start), Buffer.from('très élégant,café\n'.repeat(5), 'latin1')]);
    const found = await surveyOf('a.csv', mixed);
    expect(found.options).toEqual({});
    expect(found.notes).toEqual([expect.stringMatching(/mixes encodings/)]);
    const lone = TEXTS.map((_, i) => `${i % 10 ? '' : '"'}message ${i}\t${i % 2}`).join('\n');
    const plain = await surveyOf('a.tsv', `text\tlabel\n${lone}`);
    expect(plain).toMatchObject({ options: { quote: 'none' }, rows: 40 });
    expect(plain.notes).toEqual([expect.stringMatching(/never closed: 4; .*quote: none/)]);
    const torn = `text\tlabel\n${lone}\n"one\tfield"\t1\n`;
    const quoted = await surveyOf('a.tsv', torn);
    expect(quoted.options).toEqual({});
    expect(quoted.notes).toEqual([expect.stringMatching(/never closed: .*close it, and write a quote/)]);
  });

  it('reads JSON lines, by their name or by how they begin', async () => {
    const lines = TEXTS.map((text, i) =>
      JSON.stringify({ sentence: text, intent: `intent ${i % 4}`, split: i % 5 ? 'train' : 'dev' }),
    ).join('\n');
    for (const name of ['a.jsonl', 'a.txt']) {
      const found = await surveyOf(name, lines);
      expect(found).toMatchObject({
        kind: 'jsonl',
        choice: { textField: 'sentence', labelField: 'intent', splitField: 'split' },
      });
    }
  });

  it('reads Parquet', async () => {
    const found = await surveyFile(join(import.meta.dirname, '../testing/reviews.parquet'));
    expect(found).toMatchObject({ kind: 'parquet', choice: { textField: 'text', labelField: 'label' } });
    expect(found.rows).toBeGreaterThan(0);
    expect(found.columns.length).toBeGreaterThan(1);
  });

  it('chooses a class without a telling name only where one column alone can be it', async () => {
    const one = TEXTS.map((text, i) => JSON.stringify({ a: text, b: i % 3, c: i })).join('\n');
    expect((await surveyOf('a.jsonl', one)).choice).toEqual({ textField: 'a', labelField: 'b' });
    const two = TEXTS.map((text, i) => JSON.stringify({ a: text, b: i % 3, c: i % 2 })).join('\n');
    expect((await surveyOf('a.jsonl', two)).choice).toEqual({ textField: 'a' });
    const lists = TEXTS.map((text, i) => JSON.stringify({ a: text, label: [i % 3] })).join('\n');
    expect((await surveyOf('a.jsonl', lists)).choice).toEqual({ textField: 'a' });
  });

  it.each(['Kategorie', 'catégorie', 'Typ', 'x7'])(
    'finds the class %j beside dates, times and numbers',
    async (name) => {
      const rows = TEXTS.map(
        (_, i) =>
          `${i % 28};${1 + (i % 9)}.03.2024;${8 + (i % 3)}:15;${i % 3 ? 'Störung' : 'Lob'};ein Text ${i}`,
      );
      const found = await surveyOf('a.csv', `Filiale;Datum;Uhrzeit;${name};Nachricht\n${rows.join('\n')}\n`);
      expect(found.choice).toEqual({ textField: 'Nachricht', labelField: name });
    },
  );

  it('reads numbers with decimal commas, and leaves those alone that may be either', async () => {
    const surveyed = async (number: (i: number) => string) => {
      const rows = TEXTS.map((_, i) => `ein Text ${i};${number(i)}`);
      const found = await surveyOf('a.csv', `Nachricht;price\n${rows.join('\n')}\n`);
      return found.columns.find(({ name }) => name === 'price');
    };
    expect(await surveyed((i) => `${i}.250,5`)).toMatchObject({ isNumber: true, decimal: ',' });
    expect(await surveyed((i) => `${1 + i},250`)).toMatchObject({ isNumber: false });
    expect(await surveyed((i) => `${1 + i}.250`)).not.toHaveProperty('decimal');
  });

  it('takes records for what they are, and for no classes', async () => {
    const choiceOf = async (label: (i: number) => unknown) => {
      const rows = TEXTS.map((text, i) => JSON.stringify({ text, label: label(i) }));
      return (await surveyOf('a.jsonl', rows.join('\n'))).choice;
    };
    const kind = (i: number) => (i % 2 ? 'PER' : 'ORG');
    const spans = (i: number) => (i % 3 ? [{ start: 0, end: 4, label: kind(i) }] : []);
    expect(await choiceOf((i) => ({ name: kind(i) }))).toEqual({ textField: 'text' });
    expect(await choiceOf((i) => [{ name: kind(i) }])).toEqual({ textField: 'text' });
    expect(await choiceOf(spans)).toEqual({ textField: 'text', spansField: 'label' });
    expect(await choiceOf((i) => JSON.stringify(spans(i)))).toEqual({
      textField: 'text',
      spansField: 'label',
    });
    expect(await choiceOf((i) => ['O', `B-${kind(i)}`])).toEqual({ textField: 'text', spansField: 'label' });
    const flags = (i: number) => ({ red: i % 2, blue: (i >> 1) % 2 });
    expect(await choiceOf(flags)).toEqual({ textField: 'text', classesField: 'label' });
    // A record by mistake is no class, and the others are.
    const found = await surveyOf(
      'a.jsonl',
      TEXTS.map((text, i) => JSON.stringify({ text, label: i === 3 ? { a: 1 } : kind(i) })).join('\n'),
    );
    expect(found.choice).toEqual({ textField: 'text', labelField: 'label' });
    expect(found.columns[1]?.values.map(([name]) => name).sort()).toEqual(['ORG', 'PER']);
  });

  it('tells a folder of texts from one of images', async () => {
    mkdirSync(join(folder, 'texts/spam'), { recursive: true });
    writeFileSync(join(folder, 'texts/spam/1.md'), 'buy');
    expect(await surveyFile(join(folder, 'texts'))).toMatchObject({
      kind: 'text-folder',
      options: { extension: '.md' },
      texts: ['buy'],
    });
    mkdirSync(join(folder, 'images'));
    writeFileSync(join(folder, 'images/train-images-idx3-ubyte.gz'), '');
    expect(await surveyFile(join(folder, 'images'))).toMatchObject({ kind: 'idx' });
  });

  it('tells folders of images and of audio by their files, and measures some', async () => {
    for (const [i, side] of [20, 40, 80].entries()) {
      mkdirSync(join(folder, `pictures/class ${i}`), { recursive: true });
      writeFileSync(join(folder, `pictures/class ${i}/a.png`), await image(side, 100));
    }
    writeFileSync(join(folder, 'pictures/class 0/broken.PNG'), 'no image');
    expect(await surveyFile(join(folder, 'pictures'))).toMatchObject({
      kind: 'image-folder',
      files: { modality: 'image', sizes: [20, 40, 80], broken: 1 },
    });
    mkdirSync(join(folder, 'sounds/train/yes'), { recursive: true });
    writeFileSync(join(folder, 'sounds/train/yes/a.wav'), silence(8000, 4000));
    expect(await surveyFile(join(folder, 'sounds'))).toMatchObject({
      kind: 'audio-folder',
      files: { modality: 'audio', sizes: [0.5], broken: 0 },
    });
  });

  it('finds the column that names images, and looks at those of its own folder alone', async () => {
    writeFileSync(join(folder, 'a.png'), await image(30, 30));
    const rows = Array.from(
      { length: 20 },
      (_, i) => `${i === 3 ? '../b.png' : 'a.png'},${i % 2 ? 'x' : 'y'}`,
    );
    const found = await surveyOf('images.csv', `file,kind\n${rows.join('\n')}\n`);
    expect(found.choice).toEqual({ files: { field: 'file', modality: 'image' }, labelField: 'kind' });
    expect(found.files?.sizes.every((size) => size === 30)).toBe(true);
    expect(found.files?.sizes).toHaveLength(19);
  });

  it('takes the texts beside images of no class for their captions', async () => {
    writeFileSync(join(folder, 'a.png'), await image(30, 30));
    const rows = Array.from({ length: 20 }, (_, i) => `a.png,a square that is number ${i}`);
    const found = await surveyOf('captions.csv', `file,caption\n${rows.join('\n')}\n`);
    expect(found.choice).toEqual({ files: { field: 'file', modality: 'image', caption: 'caption' } });
  });

  it('looks at the first rows alone', async () => {
    const many = Array.from(
      { length: 2500 },
      (_, i) => `${TEXTS[i % 40]?.replaceAll(',', ' ')} ${i},${i % 2}`,
    );
    expect(await surveyOf('a.csv', `text,label\n${many.join('\n')}\n`)).toMatchObject({
      rows: 2000,
      more: true,
    });
  });

  it('refuses what is no data', async () => {
    await expect(surveyFile(join(folder, 'nowhere.csv'))).rejects.toMatchObject({ code: 'data.missing' });
    await expect(surveyOf('a.csv', Buffer.from('PK\u0003\u0004 zip'))).rejects.toMatchObject({
      code: 'data.wrong-format',
    });
    await expect(surveyOf('a.jsonl', 'no JSON\n')).rejects.toMatchObject({ code: 'data.wrong-format' });
    mkdirSync(join(folder, 'empty'));
    await expect(surveyFile(join(folder, 'empty'))).rejects.toMatchObject({ code: 'data.wrong-format' });
  });
});
