import { isUtf8 } from 'node:buffer';
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { LimbeckError } from '../../errors.ts';
import { openFileHandle } from '../../node-file-handle.ts';
import { readParquetRecords } from '../sources/parquet.ts';
import { type CsvFormat, fieldsOfLine, plainFields } from '../text-files/csv-record.ts';
import { csvRecords } from '../text-files/csv-records.ts';
import { byteOrderMark, looksLikeUtf16, mixesUtf8, suggestEncoding } from '../text-files/encoding.ts';
import { FILE_REMEDIES } from '../text-files/file-remedies.ts';
import { parseJsonLine } from '../text-files/json-line.ts';
import { type TextFormat, textFormat, textLines } from '../text-files/text-lines.ts';
import { filesOfFolder, modalityOfFiles } from './survey-files.ts';

/** The first rows of a file or folder of data, as they stand, and how it has to be read. */
export interface FirstRows {
  /** The kind of source that reads it. */
  readonly kind: 'csv' | 'jsonl' | 'parquet' | 'text-folder' | 'image-folder' | 'audio-folder' | 'idx';
  /** Options of that source beside its path, where they differ from the defaults. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Whether there are rows beyond these. */
  readonly more: boolean;
  /** What was noticed: an encoding, a missing header. */
  readonly notes: readonly string[];
}

const DELIMITERS = [',', '\t', ';', '|'];
const SNIFFED_LINES = 50;

/**
 * Reads the first `most` rows of what a person calls their data: a CSV, JSON lines or Parquet file, or a folder.
 *
 * @throws LimbeckError `data.missing`, `data.wrong-format`, `data.wrong-encoding`
 */
export async function firstRows(path: string, most: number): Promise<FirstRows> {
  const found = await stat(path).catch((cause) => {
    throw new LimbeckError('data.missing', 'there is no such file or folder', {
      where: path,
      remedy: 'Name the file with the data.',
      cause,
    });
  });
  if (found.isDirectory()) return folderKind(path);
  const extension = extname(path).toLowerCase();
  if (extension === '.parquet') return parquetRows(path, most);
  const { encoding, mixed } = await encodingOf(path);
  const format = await textFormat(path, 'text', FILE_REMEDIES, encoding);
  const options = { ...(encoding && { encoding }) };
  const notes = encoding ? [`it is not UTF-8; it reads well as ${encoding}`] : [];
  if (mixed) notes.push('it mixes encodings: some lines are UTF-8; others are not, and make broken rows');
  const isJson = /^\.(jsonl|ndjson|json)$/.test(extension) || (await firstLine(path, format)).startsWith('{');
  return isJson
    ? jsonRows(path, format, most, { options, notes })
    : csvRows(path, format, most, { options, notes });
}

type Beside = Pick<FirstRows, 'options' | 'notes'>;

const HEAD = 1 << 16;

/** The encoding to tell the source; undefined for UTF-8 and where a byte order mark tells it. */
async function encodingOf(path: string): Promise<{ encoding?: string | undefined; mixed?: boolean }> {
  const file = await openFileHandle(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    const head = buffer.subarray(0, bytesRead);
    if (byteOrderMark(head)) return {};
    // The head may end within a character.
    const whole = [0, 1, 2, 3].some((cut) => isUtf8(head.subarray(0, Math.max(0, bytesRead - cut))));
    if (looksLikeUtf16(head)) return { encoding: await suggestEncoding(head) };
    if (whole) return {};
    return mixesUtf8(head) ? { mixed: true } : { encoding: await suggestEncoding(head) };
  } finally {
    await file.close();
  }
}

async function firstLine(path: string, format: TextFormat): Promise<string> {
  for await (const { text } of textLines(path, format)) if (text.trim() !== '') return text.trim();
  return '';
}

async function jsonRows(path: string, format: TextFormat, most: number, beside: Beside): Promise<FirstRows> {
  const rows: Record<string, unknown>[] = [];
  let more = false;
  for await (const { text, problem } of textLines(path, format)) {
    if (problem || text.trim() === '') continue;
    if (rows.length === most) {
      more = true;
      break;
    }
    const parsed = parseJsonLine(text.trim(), []);
    if (!('problem' in parsed)) rows.push(parsed.row);
  }
  if (rows.length === 0) {
    throw new LimbeckError('data.wrong-format', 'no line is a JSON object', {
      where: path,
      remedy: 'Write one JSON object a line.',
    });
  }
  return { kind: 'jsonl', rows, more, ...beside };
}

async function csvRows(path: string, format: TextFormat, most: number, beside: Beside): Promise<FirstRows> {
  const lines: string[] = [];
  for await (const { text } of textLines(path, format)) {
    if (text.trim() !== '') lines.push(text);
    if (lines.length === SNIFFED_LINES) break;
  }
  const delimiter = sniffDelimiter(lines);
  const quoting = sniffQuoting(lines, delimiter);
  const names = (fieldsOfLine(lines[0] ?? '', quoting) ?? plainFields(lines[0] ?? '', delimiter)).map(
    (name) => name.trim(),
  );
  const header = looksLikeHeader(names, lines.slice(1), quoting);
  const columns = header ? names : names.map((_, i) => `column ${i + 1}`);
  const read = (how: CsvFormat) =>
    csvFields(path, format, { columns: columns.length, header, format: how, most });
  const quoted = await read(quoting);
  const plain = quoted.open > 0 ? await read({ delimiter, quote: null, escape: null }) : undefined;
  // Where no field stands in quotes, and every row is whole without, quotes are characters as others.
  const hasQuoting = plain?.rows.some((row) => row.some((value) => /^".*"$/s.test(value))) ?? true;
  const unquoted = plain && !hasQuoting && plain.torn === 0 ? plain : undefined;
  const { rows, more, unread } = unquoted ?? quoted;
  if (rows.length === 0 && unread !== undefined) {
    throw new LimbeckError('data.wrong-format', `no row can be read as CSV; the first: ${unread}`, {
      where: path,
      remedy: `Name the separator and the quotes: --source csv --set data.source.path=FILE --set data.source.delimiter=';' (or quote, escape).`,
    });
  }
  const usual = /\.(tsv|tab)$/i.test(path) ? '\t' : ',';
  return {
    kind: 'csv',
    options: {
      ...beside.options,
      ...(delimiter !== usual && { delimiter }),
      ...(unquoted ? { quote: 'none' } : quoting.quote !== '"' && { quote: quoting.quote }),
      ...(!unquoted && quoting.escape !== quoting.quote && { escape: quoting.escape }),
      ...(!header && { columns }),
    },
    // The index that pandas writes has no name.
    rows: rows.map((fields) =>
      Object.fromEntries(columns.flatMap((name, i) => (name === '' ? [] : [[name, fields[i]] as const]))),
    ),
    more,
    notes: [
      ...beside.notes,
      ...(header ? [] : ['its first line is not a header']),
      ...quoteNotes(quoted.open, unquoted !== undefined),
    ],
  };
}

function quoteNotes(open: number, isPlain: boolean): string[] {
  if (open === 0) return [];
  const rows = `rows with a quote that is never closed: ${open}`;
  if (isPlain) return [`${rows}; no field stands in quotes, so they are read as characters (quote: none)`];
  return [`${rows}; ${FILE_REMEDIES.quotes}; such rows are left out (data.onBrokenRow)`];
}

/** The first records of a file, read with some quoting. */
async function csvFields(
  path: string,
  format: TextFormat,
  how: {
    readonly columns: number;
    readonly header: boolean;
    readonly format: CsvFormat;
    readonly most: number;
  },
): Promise<{
  readonly rows: readonly string[][];
  readonly more: boolean;
  /** Rows in which a quote is never closed. */
  readonly open: number;
  /** Rows of another number of fields, those among them. */
  readonly torn: number;
  /** What is wrong with the first of them. */
  readonly unread: string | undefined;
}> {
  const rows: string[][] = [];
  let [open, torn, first] = [0, 0, how.header];
  let unread: string | undefined;
  const shape = { columns: how.columns, label: -1, classes: new Set<string>() };
  for await (const { fields, problem } of csvRecords(
    textLines(path, format),
    how.format,
    shape,
    FILE_REMEDIES,
  )) {
    if (first) {
      first = false;
      continue;
    }
    if (rows.length === how.most) return { rows, more: true, open, torn, unread };
    if (problem?.reason === 'quotes') open++;
    if (!problem && fields.length === how.columns) {
      rows.push([...fields]);
      continue;
    }
    torn++;
    unread ??= problem?.message ?? `${fields.length} columns where the first line has ${how.columns}`;
  }
  return { rows, more: false, open, torn, unread };
}

/** The delimiter that divides the lines most alike, into most columns. */
function sniffDelimiter(lines: readonly string[]): string {
  const score = (delimiter: string) => {
    const format = { delimiter, quote: '"', escape: '"' };
    const counts = lines.map((line) => fieldsOfLine(line, format)?.length ?? 0);
    const columns = counts[0] ?? 0;
    if (columns < 2) return 0;
    const alike = counts.filter((count) => count === columns).length / counts.length;
    return alike + columns / 1000;
  };
  return DELIMITERS.reduce((best, one) => (score(one) > score(best) ? one : best));
}

/** How other programs quote: with a backslash before quotes, as MySQL does, or with single quotes. */
const OTHER_QUOTING = [
  { quote: '"', escape: '\\' },
  { quote: "'", escape: "'" },
] as const;

/** RFC 4180, unless most lines have another number of columns by it than the first, and hardly any by another way. */
function sniffQuoting(lines: readonly string[], delimiter: string): CsvFormat {
  const usual: CsvFormat = { delimiter, quote: '"', escape: '"' };
  const alike = (format: CsvFormat) => {
    const counts = lines.map((line) => fieldsOfLine(line, format)?.length);
    return counts.filter((count) => count === counts[0]).length / Math.max(1, counts.length);
  };
  if (alike(usual) >= 0.5) return usual;
  return OTHER_QUOTING.map((one) => ({ delimiter, ...one })).find((format) => alike(format) > 0.9) ?? usual;
}

/** A header names its columns: short words, none twice, none a number, none that the column itself has as a value. */
function looksLikeHeader(names: readonly string[], lines: readonly string[], format: CsvFormat): boolean {
  const named = names.filter((name) => name !== '');
  if (named.length === 0 || named.some((name) => name.length > 60 || /^[-+\d.,]+$/.test(name))) return false;
  if (new Set(named).size < named.length) return false;
  const values = lines.map((line) => fieldsOfLine(line, format) ?? []);
  // A column of numbers, or of nothing, may be without a name: an index, a delimiter at the ends of lines.
  return names.every((name, i) =>
    values.every((row) => {
      const value = row[i]?.trim() ?? '';
      return name === '' ? /^\d*$/.test(value) : value !== name;
    }),
  );
}

async function parquetRows(path: string, most: number): Promise<FirstRows> {
  const rows: Record<string, unknown>[] = [];
  for await (const row of readParquetRecords(path, most + 1)) rows.push(row);
  return {
    kind: 'parquet',
    options: {},
    rows: rows.slice(0, most),
    more: rows.length > most,
    notes: [],
  };
}

/** A folder of texts, images or audio files by class, or of IDX files. */
async function folderKind(path: string): Promise<FirstRows> {
  const entries = await readdir(path, { withFileTypes: true });
  const none = { options: {}, rows: [], more: false, notes: [] };
  if (entries.some(({ name }) => /-idx\d-ubyte(\.gz)?$/.test(name))) return { kind: 'idx', ...none };
  const folders = entries.filter((entry) => entry.isDirectory());
  if (folders.length === 0) throw noClasses(path, entries);
  const files = await filesOfFolder(path);
  if (files) return { kind: `${files.modality}-folder`, ...none };
  const [inside = []] = await Promise.all(
    folders.slice(0, 1).map(({ name }) => readdir(join(path, name), { withFileTypes: true })),
  );
  const file = inside.find((entry) => entry.isFile())?.name;
  const extension = file === undefined ? '.txt' : extname(file);
  if (NO_TEXTS.test(extension)) throw noClasses(path, entries);
  return { kind: 'text-folder', ...none, options: extension === '.txt' ? {} : { extension } };
}

/** Files of rows or of programs, which are no texts of a class. */
const NO_TEXTS =
  /^\.(json|jsonl|ndjson|csv|tsv|tab|parquet|zip|gz|tar|pdf|onnx|bin|npy|npz|pt|safetensors)$/i;
const TABLE = /\.(csv|tsv|jsonl|ndjson|parquet)$/i;

/** The error of a folder without a subfolder of files for each class, by what lies in it. */
function noClasses(path: string, entries: readonly Dirent[]): LimbeckError {
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const tables = names.filter((name) => TABLE.test(name));
  const modality = modalityOfFiles(names.filter((name) => !TABLE.test(name)));
  const what = modality === 'image' ? 'images' : modality === 'audio' ? 'audio files' : 'files';
  const ways = [
    ...(tables.length > 0
      ? [`name the file that lists them: --data ${join(path, tables[0] as string)}`]
      : []),
    `give each class a subfolder with its ${what}`,
  ];
  return new LimbeckError('data.wrong-format', `nothing in this folder says what its ${what} show`, {
    where: path,
    remedy: `${ways.join('; or ').replace(/^./, (first) => first.toUpperCase())}.`,
  });
}
