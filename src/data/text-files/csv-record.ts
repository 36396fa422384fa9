/** How fields stand in a line. */
export interface CsvFormat {
  readonly delimiter: string;
  /** null where quotes have no meaning. */
  readonly quote: string | null;
  /** What stands before a quote inside a quoted field; the quote itself (`""`) in RFC 4180. */
  readonly escape: string | null;
}

/**
 * Reads one record, line by line: a quoted field may go on over several (RFC 4180). A quote within a field that does
 * not begin with one is taken as it stands, and so is one inside a quoted field that no delimiter follows.
 */
export class CsvRecord {
  readonly #format: CsvFormat;
  readonly fields: string[] = [];
  /** The beginning of the quoted field that is not closed yet. */
  #open: string | undefined;
  /** Whether a quote within the open field might have been its end. */
  #stray = false;
  #strict = true;

  constructor(format: CsvFormat) {
    this.#format = format;
  }

  /** Whether a quoted field is not closed yet. */
  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** Whether the open field holds a quote already, on the line on which it began: it may be no quoted field at all. */
  get isStray(): boolean {
    return this.#stray;
  }

  /** Whether all quotes within its quoted fields are doubled or escaped, as RFC 4180 has it. */
  get isStrict(): boolean {
    return this.#strict;
  }

  add(line: string): void {
    const { delimiter, quote } = this.#format;
    let at = 0;
    if (this.#open !== undefined) {
      const end = this.#quoted(line, 0, `${this.#open}\n`);
      if (end < 0) return;
      if (end >= line.length) return;
      at = end + delimiter.length;
    }
    for (;;) {
      if (quote !== null && line.startsWith(quote, at)) {
        this.#stray = false;
        const end = this.#quoted(line, at + quote.length, '');
        if (end < 0 || end >= line.length) return;
        at = end + delimiter.length;
        continue;
      }
      const end = line.indexOf(delimiter, at);
      if (end < 0) {
        this.fields.push(withoutReturn(line.slice(at)));
        return;
      }
      this.fields.push(line.slice(at, end));
      at = end + delimiter.length;
    }
  }

  /** Reads a quoted field from `at` on; gives the place of the delimiter (or the line's end) after it, or -1. */
  #quoted(line: string, at: number, before: string): number {
    const { delimiter, escape: mark } = this.#format;
    const quote = this.#format.quote as string;
    let value = before;
    let from = at;
    for (let i = at; ; ) {
      const next = line.indexOf(quote, i);
      if (next > from && mark !== null && mark !== quote && isEscaped(line, next, from, mark)) {
        value += line.slice(from, next - 1) + quote;
        i = from = next + 1;
        continue;
      }
      if (next < 0) {
        this.#open = value + line.slice(from);
        return -1;
      }
      const after = next + 1;
      if (mark === quote && line.startsWith(quote, after)) {
        value += line.slice(from, after);
        i = from = after + 1;
        continue;
      }
      const ends = after === line.length || (after === line.length - 1 && line[after] === '\r');
      if (ends || line.startsWith(delimiter, after)) {
        this.fields.push(value + line.slice(from, next));
        this.#open = undefined;
        return ends ? line.length : after;
      }
      this.#stray = true;
      this.#strict = false;
      i = after;
    }
  }
}

/** Whether an odd number of escapes stands before a place. */
function isEscaped(line: string, place: number, from: number, mark: string): boolean {
  let count = 0;
  while (place - 1 - count >= from && line[place - 1 - count] === mark) count++;
  return count % 2 === 1;
}

/** The fields of a line as they stand, without any meaning of quotes. */
export function plainFields(line: string, delimiter: string): string[] {
  return withoutReturn(line).split(delimiter);
}

/** The fields of a line that is a record of its own; undefined if a quoted field is not closed in it. */
export function fieldsOfLine(line: string, format: CsvFormat): string[] | undefined {
  const record = new CsvRecord(format);
  record.add(line);
  return record.isOpen ? undefined : record.fields;
}

/** The fields of a line of which one begins with a quote that is no opening one: `"two"s` stands as it is. */
export function looseFields(line: string, format: CsvFormat): string[] {
  const { delimiter } = format;
  const fields: string[] = [];
  for (let rest: string | undefined = withoutReturn(line); rest !== undefined; ) {
    const record = new CsvRecord(format);
    record.add(rest);
    if (!record.isOpen) return [...fields, ...record.fields];
    // All fields before the open one are as they were read; that one ends at the next delimiter.
    fields.push(...record.fields);
    const start: number = startOfField(rest, record.fields.length, format);
    const end: number = rest.indexOf(delimiter, start);
    fields.push(end < 0 ? rest.slice(start) : rest.slice(start, end));
    rest = end < 0 ? undefined : rest.slice(end + delimiter.length);
  }
  return fields;
}

/** Where field number `count` of a line begins, whose fields before it are closed. */
function startOfField(line: string, count: number, format: CsvFormat): number {
  const { delimiter } = format;
  let at = 0;
  for (let field = 0; field < count; field++) {
    let end = line.indexOf(delimiter, at);
    while (end >= 0 && fieldsOfLine(line.slice(at, end), format)?.length !== 1) {
      end = line.indexOf(delimiter, end + 1);
    }
    if (end < 0) return line.length;
    at = end + delimiter.length;
  }
  return at;
}

function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}
