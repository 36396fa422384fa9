import { joinBytes } from '../../platform/bytes.ts';
import { streamRegularFile } from '../../regular-file.ts';

/** Longer lines are not held in memory: no text is that long. */
export const LONGEST_LINE = 10 << 20;

/** A line as it lies in the file, without its end. */
export interface ByteLine {
  /** From 1. */
  readonly number: number;
  /** The first bytes of it, where it is `tooLong`. */
  readonly bytes: Uint8Array;
  readonly tooLong: boolean;
}

export interface LineFormat {
  /** Bytes to leave out at the beginning: a byte order mark. */
  readonly skip: number;
  /** Bytes of a character: 2 in UTF-16. */
  readonly unit: 1 | 2;
  /** The byte order, where `unit` is 2. */
  readonly littleEndian: boolean;
  /** What ends lines: a line feed, or a carriage return in files that have no other. */
  readonly end: 10 | 13;
}

const EXCERPT = 200;

/**
 * The lines of a file, split at line feeds alone: a line separator of Unicode (U+2028, U+0085) is part of a text.
 * Gives all lines that end in a piece of the file at once; holds one line, of LONGEST_LINE bytes at most.
 */
export async function* byteLines(
  path: string,
  format: LineFormat,
  signal?: AbortSignal,
): AsyncGenerator<ByteLine[]> {
  const { unit } = format;
  let number = 0;
  let parts: Uint8Array[] = [];
  let held = 0;
  let tooLong = false;
  // Where the next piece begins, as UTF-16 is cut at even places only.
  let odd: Uint8Array = new Uint8Array(0);

  const hold = (bytes: Uint8Array) => {
    if (tooLong || bytes.length === 0) return;
    if (held + bytes.length > LONGEST_LINE) {
      tooLong = true;
      const start = joinBytes([...parts, bytes.subarray(0, EXCERPT)]).subarray(0, EXCERPT);
      parts = [start.slice()];
      return;
    }
    parts.push(bytes);
    held += bytes.length;
  };
  const finish = (): ByteLine => {
    const bytes = parts.length === 1 ? (parts[0] as Uint8Array) : joinBytes(parts);
    const line = { number: ++number, bytes, tooLong };
    parts = [];
    held = 0;
    tooLong = false;
    return line;
  };

  for await (const chunk of streamRegularFile(path, { signal, start: format.skip, highWaterMark: 1 << 18 })) {
    let bytes = odd.length > 0 ? joinBytes([odd, chunk]) : chunk;
    odd = bytes.subarray(bytes.length - (bytes.length % unit));
    bytes = bytes.subarray(0, bytes.length - odd.length);
    const lines: ByteLine[] = [];
    let from = 0;
    for (let at = nextEnd(bytes, 0, format); at >= 0; at = nextEnd(bytes, from, format)) {
      hold(bytes.subarray(from, at));
      lines.push(finish());
      from = at + unit;
    }
    hold(bytes.subarray(from));
    if (lines.length > 0) yield lines;
  }
  if (odd.length > 0) hold(odd);
  if (held > 0 || tooLong) yield [finish()];
}

/** The lines of a file that this program or a known package wrote: UTF-8, without a carriage return before their ends. */
export async function* plainLines(path: string, signal?: AbortSignal): AsyncGenerator<ByteLine> {
  const format: LineFormat = { skip: 0, unit: 1, littleEndian: false, end: 10 };
  for await (const lines of byteLines(path, format, signal)) {
    for (const line of lines)
      yield line.bytes.at(-1) === 13 ? { ...line, bytes: line.bytes.subarray(0, -1) } : line;
  }
}

function nextEnd(bytes: Uint8Array, from: number, { unit, littleEndian, end }: LineFormat): number {
  if (unit === 1) return bytes.indexOf(end, from);
  for (let at = bytes.indexOf(end, from); at >= 0; at = bytes.indexOf(end, at + 1)) {
    const start = littleEndian ? at : at - 1;
    if (start >= from && start % 2 === 0 && bytes[littleEndian ? at + 1 : at - 1] === 0) return start;
  }
  return -1;
}
