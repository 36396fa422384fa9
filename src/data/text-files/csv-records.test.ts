import { expect, test } from 'vitest';
import type { CsvFormat } from './csv-record.ts';
import { csvRecords, type RowShape } from './csv-records.ts';
import { RECIPE_REMEDIES } from './file-remedies.ts';
import type { TextLine } from './text-lines.ts';

const RFC: CsvFormat = { delimiter: ',', quote: '"', escape: '"' };
const TSV: CsvFormat = { ...RFC, delimiter: '\t' };

/** Good rows as their fields, broken ones as `line: problem`. */
async function read(text: string, format = RFC, columns = 2, label = 1, classes: string[] = []) {
  async function* lines(): AsyncGenerator<TextLine> {
    for (const [i, line] of text.split('\n').entries()) yield { number: i + 1, text: line };
  }
  const shape: RowShape = { columns, label, classes: new Set(classes) };
  const rows: (readonly string[] | string)[] = [];
  for await (const row of csvRecords(lines(), format, shape, RECIPE_REMEDIES)) {
    rows.push(row.problem ? `${row.line}: ${row.problem.reason}` : row.fields);
    if (!row.problem && row.fields[label]) shape.classes.add(row.fields[label]);
  }
  return rows;
}

test('fields of RFC 4180', async () => {
  expect(await read('a,b\n"a ""q"", c",b\n"line one\r\nline two",b\r\n,\n"",""\r')).toEqual([
    ['a', 'b'],
    ['a "q", c', 'b'],
    ['line one\r\nline two', 'b'],
    ['', ''],
    ['', ''],
  ]);
});

test('quotes that are no quoting stand as they are', async () => {
  expect(await read('the "big" one,x\n"two"s,y\n"He said "hi" to me\nand left",y\nthree,x')).toEqual([
    ['the "big" one', 'x'],
    ['"two"s', 'y'],
    ['He said "hi" to me\nand left', 'y'],
    ['three', 'x'],
  ]);
  expect(await read('"a,x\nb",y', { ...RFC, quote: null })).toEqual([
    ['"a', 'x'],
    ['b"', 'y'],
  ]);
});

test('an escape before a quote, where the recipe names one', async () => {
  const format = { ...RFC, escape: '\\' };
  expect(await read(`${String.raw`"a \"b\" c",x`}\n${String.raw`"ends with \\",y`}`, format)).toEqual([
    ['a "b" c', 'x'],
    [String.raw`ends with \\`, 'y'],
  ]);
});

test('a delimiter of several characters, and another quote', async () => {
  expect(await read("'a||b'||c", { delimiter: '||', quote: "'", escape: "'" })).toEqual([['a||b', 'c']]);
});

test('a lone quote swallows no row: neither to the end of the file nor to the next one', async () => {
  const labels = ['pos', 'neg', 'pos', 'neg', 'neg', 'pos', 'pos', 'neg'];
  const rows = labels.map((label, i) => `text ${i}\t${label}`);
  rows[3] = `"${rows[3]}`;
  const right: (string | string[])[] = labels.map((label, i) =>
    i === 3 ? '4: quotes' : [`text ${i}`, label],
  );
  expect(await read(rows.join('\n'), TSV)).toEqual(right);
  // A quote at the end of a later field would close it.
  rows[6] = 'text 6 "\tpos';
  right[6] = ['text 6 "', 'pos'];
  expect(await read(rows.join('\n'), TSV)).toEqual(right);
  // On the first row, where no class is known yet.
  rows[0] = `"${rows[0]}`;
  right[0] = '1: quotes';
  expect(await read(rows.join('\n'), TSV)).toEqual(right);
});

test('a lone quote in a file without classes', async () => {
  const rows = Array.from({ length: 100 }, (_, i) => `${i === 10 ? '"' : ''}text ${i},${i}`);
  const read10 = await read(rows.join('\n'), RFC, 2, -1);
  expect(read10).toHaveLength(100);
  expect(read10[10]).toBe('11: quotes');
});

test('texts of several lines stay whole, also with as many delimiters as a row has', async () => {
  const letter = 'Dear all,\nthank you, again, and again.\n\nYours, Zoe\nPS: more, later';
  const rows = [`"${letter}",pos`, 'short,neg', `"${letter}",neg`, '"one, two\nthree",pos'];
  expect(await read(rows.join('\n'))).toEqual([
    [letter, 'pos'],
    ['short', 'neg'],
    [letter, 'neg'],
    ['one, two\nthree', 'pos'],
  ]);
  expect(await read(`pos,"${letter}"\nneg,short\npos,"${letter}"`, RFC, 2, 0)).toEqual([
    ['pos', letter],
    ['neg', 'short'],
    ['pos', letter],
  ]);
});

test('a text with lines that look like rows is a text, where its quotes are closed', async () => {
  const start = 'short,pos\nshorter,neg\n';
  const table = 'See this:\none,pos\ntwo,neg\nthree,pos\n""Bye"", he wrote';
  expect(await read(`${start}"${table}",neg\nlast,pos`)).toEqual([
    ['short', 'pos'],
    ['shorter', 'neg'],
    [table.replaceAll('""', '"'), 'neg'],
    ['last', 'pos'],
  ]);
  expect(await read(`pos,short\nneg,"Hi\npos,one\nneg,two\nend"\npos,last`, RFC, 2, 0)).toEqual([
    ['pos', 'short'],
    ['neg', 'Hi\npos,one\nneg,two\nend'],
    ['pos', 'last'],
  ]);
  // Rows from the first to the last, whose text ends with a quote by chance: none of them is swallowed.
  const rows = ['"lone,pos', 'one,neg', 'two,pos', 'of 55",neg', 'last,pos'];
  expect(await read(`${start}${rows.join('\n')}`)).toEqual([
    ['short', 'pos'],
    ['shorter', 'neg'],
    '3: quotes',
    ['one', 'neg'],
    ['two', 'pos'],
    ['of 55"', 'neg'],
    ['last', 'pos'],
  ]);
});

test('a line with a problem is a broken row, and so is a record that it is part of', async () => {
  async function* lines(): AsyncGenerator<TextLine> {
    const problem = { message: 'bytes', reason: 'encoding' as const };
    yield { number: 1, text: '"one' };
    yield { number: 2, text: 'tw\u00ef",x', problem };
    yield { number: 3, text: 'three,y' };
    yield { number: 4, text: 'f\u00efur,y', problem };
  }
  const rows = [];
  for await (const { line, fields, problem } of csvRecords(
    lines(),
    RFC,
    { columns: 2, label: 1, classes: new Set() },
    RECIPE_REMEDIES,
  )) {
    rows.push([line, problem?.reason ?? fields]);
  }
  expect(rows).toEqual([
    [1, 'encoding'],
    [3, ['three', 'y']],
    [4, 'encoding'],
  ]);
});

test('many lone quotes take no time that grows with the square of the file', async () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => `"text ${i}`);
  const started = performance.now();
  expect(await read(rows.join('\n'), RFC, 1, -1)).toHaveLength(20_000);
  expect(performance.now() - started).toBeLessThan(5000);
});
