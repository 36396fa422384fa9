import type { BrokenReason } from '../sample.ts';
import { type CsvFormat, CsvRecord, fieldsOfLine, looseFields, plainFields } from './csv-record.ts';
import type { FileRemedies } from './file-remedies.ts';
import type { TextLine } from './text-lines.ts';

/** A record of a CSV file, or why it is none. */
export interface CsvRow {
  /** The line on which it begins. */
  readonly line: number;
  readonly fields: readonly string[];
  readonly problem?: { readonly message: string; readonly reason: BrokenReason };
  /** How it begins, for a person. */
  readonly excerpt: string;
}

/** What is known of rows that are right, by which a field that swallowed others is told. */
export interface RowShape {
  /** Columns of a row; 0 while that is not known. */
  columns: number;
  /** The column of the class; -1 where there is none. */
  label: number;
  /** Classes met so far. */
  readonly classes: Set<string>;
}

/** A quoted field of more lines is one that is never closed. */
const MOST_LINES = 2000;
const FEWEST_LINES = 50;
const MOST_CHARACTERS = 1 << 20;
/** Rows without a class are told by their number of columns alone, when there are so many of them. */
const ROWS_WITHOUT_CLASS = 20;
const EXCERPT = 120;

/**
 * The records of a CSV file. A quote that is never closed, or a quoted field that holds what are rows by themselves,
 * makes a broken row of the line on which it begins, and reading goes on with the next line: no row is swallowed.
 */
export async function* csvRecords(
  lines: AsyncIterable<TextLine>,
  format: CsvFormat,
  shape: RowShape,
  remedies: FileRemedies,
): AsyncGenerator<CsvRow> {
  const iterator = lines[Symbol.asyncIterator]();
  /** Lines that are to be read again, the next one last. */
  const again: TextLine[] = [];
  let mostLines = MOST_LINES;
  const next = async (): Promise<TextLine | undefined> => {
    const line = again.pop();
    if (line) return line;
    const { value, done } = await iterator.next();
    return done ? undefined : (value as TextLine);
  };
  try {
    for (let first = await next(); first; first = await next()) {
      let { problem } = first;
      if (problem?.reason === 'too-long') {
        yield brokenRow(first, problem);
        continue;
      }
      if (first.text.trim() === '') continue;
      const record = new CsvRecord(format);
      record.add(first.text);
      if (!record.isOpen) {
        yield problem ? brokenRow(first, problem) : goodRow(first, record.fields);
        continue;
      }
      if (record.isStray && shape.columns > 0) {
        const fields = looseFields(first.text, format);
        if (fields.length === shape.columns) {
          yield problem ? brokenRow(first, problem) : goodRow(first, fields);
          continue;
        }
      }
      const more: TextLine[] = [];
      const rows = new RowCounter(format, shape);
      rows.count(first.text);
      let characters = first.text.length;
      let verdict: 'closed' | 'unclosed' | 'swallows' | 'long' = 'unclosed';
      for (let line = await next(); line; line = await next()) {
        more.push(line);
        problem ??= line.problem;
        record.add(line.text);
        rows.count(line.text);
        characters += line.text.length;
        // A text may hold lines that look like rows; only where it is closed can that be told.
        if (rows.areRows && !record.isStrict) verdict = 'swallows';
        else if (!record.isOpen) verdict = rows.areRows && rows.endsAreRows ? 'swallows' : 'closed';
        else if (more.length >= mostLines || characters > MOST_CHARACTERS) verdict = 'long';
        if (verdict !== 'unclosed') break;
      }
      const ragged = shape.columns > 0 && record.fields.length !== shape.columns && rows.some;
      if (verdict === 'closed' && !ragged) {
        yield problem ? brokenRow(first, problem) : goodRow(first, record.fields);
        continue;
      }
      if (verdict === 'long') mostLines = Math.max(FEWEST_LINES, mostLines >> 1);
      const message = `${MESSAGES[verdict === 'closed' || rows.areRows ? 'swallows' : verdict]}; ${remedies.quotes}`;
      yield brokenRow(first, { message, reason: 'quotes' });
      again.push(...more.reverse());
    }
  } finally {
    await iterator.return?.(undefined);
  }
}

const MESSAGES = {
  unclosed: 'a field begins with a quote that is never closed',
  swallows:
    'a field begins with a quote that is not closed on its line, and would swallow the rows that follow',
  long: `a field begins with a quote that is not closed for very many lines`,
};

function goodRow(line: TextLine, fields: readonly string[]): CsvRow {
  return { line: line.number, fields, excerpt: excerptOf(line) };
}

function brokenRow(line: TextLine, problem: NonNullable<TextLine['problem']>): CsvRow {
  return { line: line.number, fields: [], problem, excerpt: excerptOf(line) };
}

function excerptOf({ text }: TextLine): string {
  return text.length > EXCERPT ? `${text.slice(0, EXCERPT)}...` : text.replace(/\r$/, '');
}

/** Counts those lines of a quoted field that would be rows by themselves: as many columns, and a class that is known. */
class RowCounter {
  readonly #format: CsvFormat;
  readonly #shape: RowShape;
  readonly #classes = new Map<string, number>();
  #lines = 0;
  #shaped = 0;
  #first = false;
  #last = false;
  #known = 0;

  constructor(format: CsvFormat, shape: RowShape) {
    this.#format = format;
    this.#shape = shape;
  }

  count(line: string): void {
    const { columns, label, classes } = this.#shape;
    this.#lines++;
    this.#last = false;
    if (columns < 2) return;
    const fields =
      [plainFields(line, this.#format.delimiter), fieldsOfLine(line, this.#format)].find(
        (found) => found?.length === columns,
      ) ?? undefined;
    if (!fields) return;
    this.#last = true;
    if (this.#lines === 1) this.#first = true;
    this.#shaped++;
    const value = label < 0 ? undefined : fields[label]?.trim();
    if (!value) return;
    if (classes.has(value)) this.#known++;
    this.#classes.set(value, (this.#classes.get(value) ?? 0) + 1);
  }

  /** Whether one line of it at least is a row. */
  get some(): boolean {
    return this.#known > 0;
  }

  /** Whether its first and its last line would be rows by themselves; of a text with rows inside, one of them is not. */
  get endsAreRows(): boolean {
    return this.#first && this.#last;
  }

  /** Two rows are no accident; neither are many lines of the same shape whose classes come again. */
  get areRows(): boolean {
    if (this.#known >= 2) return true;
    if (this.#shape.label < 0) return this.#shaped === this.#lines && this.#lines >= ROWS_WITHOUT_CLASS;
    return this.#shaped >= 6 && this.#shaped === this.#lines && this.#classes.size <= this.#shaped / 2;
  }
}
