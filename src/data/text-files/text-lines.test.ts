import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { randomStream } from '../../random.ts';
import { temporaryFolders } from '../testing/temporary-folder.ts';
import { LONGEST_LINE } from './byte-lines.ts';
import { canonicalEncoding, decoderOf, isBinary, suggestEncoding } from './encoding.ts';
import { RECIPE_REMEDIES } from './file-remedies.ts';
import { type TextLine, textFormat, textLines } from './text-lines.ts';

const newFolder = temporaryFolders();
let path: string;
beforeEach(async () => {
  path = join(await newFolder(), 'a.txt');
});

async function read(content: string | Uint8Array, told?: string) {
  await writeFile(path, content);
  const format = await textFormat(path, 'text', RECIPE_REMEDIES, told);
  const lines: TextLine[] = [];
  for await (const line of textLines(path, format)) lines.push(line);
  return { format, lines, texts: lines.map(({ text }) => text.replace(/\r$/, '')) };
}

const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();

describe('lines', () => {
  it('end at line feeds alone', async () => {
    const content = 'one\r\n\u2028two\u2029\u0085\u000b\u000c\n\nlast';
    expect((await read(content)).texts).toEqual(['one', '\u2028two\u2029\u0085\u000b\u000c', '', 'last']);
    expect((await read('one\ntwo\n')).texts).toEqual(['one', 'two']);
    expect((await read('')).texts).toEqual([]);
  });

  it('end at carriage returns in a file that has nothing else', async () => {
    expect((await read('one\rtwo\r')).texts).toEqual(['one', 'two']);
  });

  it('are those of UTF-16, told by its mark or by the recipe', async () => {
    // U+0A0A and U+010A have the byte of a line feed in them.
    const content = 'one \u0a0a\u010a\ntwo \u{1f600}';
    const right = ['one \u0a0a\u010a', 'two \u{1f600}'];
    expect((await read(Buffer.from(`\ufeff${content}`, 'utf16le'))).texts).toEqual(right);
    expect((await read(utf16be(`\ufeff${content}`))).texts).toEqual(right);
    expect((await read(Buffer.from(content, 'utf16le'), 'utf-16le')).texts).toEqual(right);
    expect((await read(utf16be(content), 'utf-16be')).texts).toEqual(right);
    // 128 KB and more: pieces of the file end within characters.
    const long = Array.from({ length: 30_000 }, (_, i) => `line ${i} \u{1f600}`);
    expect((await read(Buffer.from(`\ufeff${long.join('\n')}`, 'utf16le'))).texts).toEqual(long);
  });

  it('that are longer than any text are told, and not held', async () => {
    const content = Buffer.concat([
      Buffer.from('one\n'),
      Buffer.alloc(LONGEST_LINE + 1, 'x'),
      Buffer.from('\ntwo'),
    ]);
    const { lines } = await read(content);
    expect(lines.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(lines[1]?.problem).toEqual({ message: 'the line is longer than 10 MB', reason: 'too-long' });
    expect(lines[1]?.text).toHaveLength(200);
    expect(lines[2]?.text).toBe('two');
  });

  it('that are not of the encoding are told with the one that they read well as', async () => {
    const { lines } = await read(
      Buffer.from('Sch\xf6ne Gr\xfc\xdfe aus K\xf6ln\nplain\nit\x92s 5 \x80', 'latin1'),
    );
    expect(lines.map(({ number, problem }) => [number, problem?.reason])).toEqual([
      [1, 'encoding'],
      [2, undefined],
      [3, 'encoding'],
    ]);
    expect(lines[0]?.problem?.message).toBe(
      'bytes that are not UTF-8; they read well as windows-1252: set encoding: windows-1252 under data.source',
    );
    expect(lines[1]?.text).toBe('plain');
  });
});

test('a byte order mark is no part of the text, and more is believed than the recipe', async () => {
  expect((await read('\ufefftext')).texts).toEqual(['text']);
  const { format, texts } = await read('\ufeffna\u00efve', 'windows-1252');
  expect(texts).toEqual(['na\u00efve']);
  expect((await read('na\u00efve', 'latin1')).format.notes).toEqual([
    { kind: 'encoding', message: expect.stringMatching(/read as windows-1252.* its bytes are UTF-8/) },
  ]);
  expect(format.notes).toEqual([
    { kind: 'encoding', message: expect.stringContaining('byte order mark of utf-8') },
  ]);
});

test('a file in UTF-16 that does not say so is refused with the name of its encoding', async () => {
  await expect(read(Buffer.from('text,label\none,x\n', 'utf16le'))).rejects.toMatchObject({
    code: 'data.wrong-encoding',
    remedy: expect.stringContaining('encoding: utf-16le'),
  });
  await expect(read(utf16be('text,label\none,x\n'))).rejects.toMatchObject({
    remedy: expect.stringContaining('encoding: utf-16be'),
  });
});

test.each([
  ['little', true],
  ['big', false],
])(
  'a file in UTF-32 (%s-endian) is refused with what makes it UTF-8, with a mark and without',
  async (_, little) => {
    const utf32 = (text: string) => {
      const bytes = new DataView(new ArrayBuffer(4 * [...text].length));
      for (const [i, character] of [...text].entries())
        bytes.setUint32(4 * i, character.codePointAt(0) ?? 0, little);
      return new Uint8Array(bytes.buffer);
    };
    for (const text of ['\ufefftext,label\none,x\n', 'text,label\n\u65e5\u{1f600},x\n']) {
      await expect(read(utf32(text))).rejects.toMatchObject({
        code: 'data.wrong-encoding',
        message: 'it is UTF-32, which is not read',
        remedy: expect.stringContaining('iconv -f utf-32'),
      });
    }
  },
);

describe('encodings', () => {
  it('are known by all their names', () => {
    expect(canonicalEncoding('latin1')).toBe('windows-1252');
    expect(canonicalEncoding('utf8')).toBe('utf-8');
    expect(() => canonicalEncoding('klingon')).toThrow(RangeError);
  });

  it('are decoded, and bytes that they do not have are refused', () => {
    expect(decoderOf('windows-1252')(Buffer.from('\x80 \x93Zo\xeb\x94', 'latin1'))).toBe(
      '\u20ac \u201cZo\u00eb\u201d',
    );
    expect(decoderOf('shift_jis')(Buffer.from([0x93, 0xfa, 0x96, 0x7b]))).toBe('\u65e5\u672c');
    expect(decoderOf('shift_jis')(Buffer.from([0x93]))).toBeUndefined();
    expect(decoderOf('utf-8')(Buffer.from([0x61, 0xff]))).toBeUndefined();
    // Overlong forms and halves of surrogate pairs are no UTF-8.
    expect(decoderOf('utf-8')(Buffer.from([0xc0, 0xaf]))).toBeUndefined();
    expect(decoderOf('utf-8')(Buffer.from([0xed, 0xa0, 0x80]))).toBeUndefined();
  });

  it.each([
    ['windows-1252', 'Sch\xf6ne Gr\xfc\xdfe aus K\xf6ln, das Caf\xe9 \x84Zo\xeb\x93 ist ge\xf6ffnet'],
    [
      'windows-1251',
      '\xcf\xf0\xe8\xe2\xe5\xf2, \xec\xe8\xf0! \xdd\xf2\xee \xef\xf0\xee\xf1\xf2\xee\xe9 \xf2\xe5\xea\xf1\xf2.',
    ],
    [
      'shift_jis',
      '\x82\xb1\x82\xea\x82\xcd\x93\xfa\x96{\x8c\xea\x82\xcc\x83e\x83L\x83X\x83g\x82\xc5\x82\xb7\x81B',
    ],
  ])('%s is suggested for bytes of it', async (encoding, bytes) => {
    expect(await suggestEncoding(Buffer.from(bytes, 'latin1'))).toBe(encoding);
  });
});

describe('files that a program or a person spoiled', () => {
  it('have a broken line for a NUL, wherever it is', async () => {
    const content = `one two three four five six seven eight nine ten\na\0b\n${'more and more\n'.repeat(1000)}c\0d\nlast`;
    const { lines } = await read(content);
    const broken = lines.filter(({ problem }) => problem);
    expect(broken.map(({ number }) => number)).toEqual([2, 1003]);
    expect(broken[0]?.problem).toEqual({
      message: 'the line holds a NUL character, which no text has',
      reason: 'encoding',
    });
    await expect(read(Buffer.alloc(200))).rejects.toMatchObject({ code: 'data.wrong-format' });
  });

  it('lose the byte order marks of files that were joined', async () => {
    expect((await read('\ufeffone\n\ufefftwo\nth\ufeffree')).texts).toEqual(['one', 'two', 'th\ufeffree']);
  });

  it('are told to be UTF-16 without a mark, in languages that need both bytes', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => `今天天气很好我们一起去公园散步吧${i},新闻\n`).join('');
    for (const [encoding, bytes] of [
      ['utf-16le', Buffer.from(rows, 'utf16le')],
      ['utf-16be', utf16be(rows)],
    ] as const) {
      await expect(read(bytes)).rejects.toMatchObject({
        code: 'data.wrong-encoding',
        remedy: `Set encoding: ${encoding} under data.source.`,
      });
    }
    // Numbers of 32 bits are no text.
    const numbers = Buffer.from(Float64Array.from({ length: 500 }, (_, i) => i * 1.7).buffer);
    await expect(read(numbers)).rejects.toMatchObject({ code: 'data.wrong-format' });
  });

  it('are not to be read as another encoding where other lines are UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('résumé café\n'), Buffer.from('café naïve garçon\n', 'latin1')]);
    const { lines } = await read(bytes);
    expect(lines[0]?.problem).toBeUndefined();
    expect(lines[1]?.problem?.message).toMatch(
      /^bytes that are not UTF-8, as other lines are: the file mixes/,
    );
    expect(lines[1]?.problem?.message).not.toMatch(/set encoding/);
    const { format } = await read(bytes, 'windows-1252');
    expect(format.notes).toEqual([
      { kind: 'encoding', message: expect.stringMatching(/some of its lines are UTF-8/) },
    ]);
  });
});

test('a file that is UTF-8 after all is told to be, whatever the recipe says', async () => {
  const text = `${'größer als die Straße\n'.repeat(20)}naïve “quotes” — €\n`;
  const { lines } = await read(text, 'euc-jp');
  const problems = lines.flatMap(({ problem }) => problem?.message ?? []);
  expect(problems.length).toBeGreaterThan(0);
  for (const problem of problems) expect(problem).toMatch(/set encoding: utf-8 under data.source$/);
});

describe('bytes that are no text', () => {
  const random = randomStream(3, 'bytes');
  const bytes = Uint8Array.from({ length: 20_000 }, () => random.integer(256));

  it('read well as no encoding, and are told as binary', async () => {
    expect(isBinary(bytes)).toBe(true);
    expect(await suggestEncoding(bytes)).toBeUndefined();
    await expect(read(bytes)).rejects.toMatchObject({
      code: 'data.wrong-format',
      message: 'this is binary, not text',
    });
  });

  it('are not texts with a few control characters, nor tables divided by them', async () => {
    expect(isBinary(Buffer.from('a page\f\u001b$B3\u001b(B\u001a'))).toBe(false);
    const table = 'one\u0001\u00fc\n'.repeat(200);
    expect(isBinary(Buffer.from(table))).toBe(true);
    expect((await read(table)).lines).toHaveLength(200);
  });
});
