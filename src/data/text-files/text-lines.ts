import { LimbeckError } from '../../errors.ts';
import { isAscii, isUtf8, joinBytes, latin1Of } from '../../platform/bytes.ts';
import { readStart } from '../../regular-file.ts';
import type { BrokenReason, SourceNote } from '../sample.ts';
import { byteLines, type LineFormat, LONGEST_LINE } from './byte-lines.ts';
import {
  byteOrderMark,
  canonicalEncoding,
  decoderOf,
  FROM_UTF_32,
  isBinary,
  isUtf32,
  mixesUtf8,
  suggestEncoding,
  UTF_32,
  utf16Order,
} from './encoding.ts';
import { type FileRemedies, RECIPE_REMEDIES } from './file-remedies.ts';

/** A line of a text file, decoded; a carriage return before its end is still there. */
export interface TextLine {
  /** From 1. */
  readonly number: number;
  /** Where there is a problem, what can be told of it: its ASCII characters are right. */
  readonly text: string;
  /** Set for a line that cannot be read as it should. */
  readonly problem?: { readonly message: string; readonly reason: BrokenReason };
}

const HEAD = 1 << 16;

/** How a text file is stored, as found in its first bytes and told by the recipe. */
export interface TextFormat extends LineFormat {
  readonly encoding: string;
  /** The first bytes, without a byte order mark. */
  readonly head: Uint8Array;
  readonly notes: readonly SourceNote[];
  readonly remedies: FileRemedies;
}

/**
 * Looks at the first bytes of a file that should be text.
 *
 * @param remedies what whoever named the file can do about it
 * @param told the recipe's encoding
 * @throws LimbeckError `data.wrong-format` for a binary file, with the encoding that it may have instead; `data.wrong-encoding` for UTF-16 without a mark, and UTF-32
 */
export async function textFormat(
  path: string,
  format: string,
  remedies: FileRemedies,
  told?: string,
): Promise<TextFormat> {
  const first = readStart(path, HEAD);
  if (isUtf32(first))
    throw new LimbeckError('data.wrong-encoding', UTF_32, { where: path, remedy: FROM_UTF_32 });
  const mark = byteOrderMark(first);
  const named = told === undefined ? undefined : canonicalEncoding(told);
  const encoding = mark?.encoding ?? named ?? 'utf-8';
  const head = first.subarray(mark?.bytes ?? 0);
  checkIsText(path, head, { format, encoding, remedies });
  const notes: SourceNote[] = [];
  if (named && named !== encoding) {
    const message = `${path} begins with the byte order mark of ${encoding}: read as that, and not as ${told}`;
    notes.push({ kind: 'encoding', message });
  }
  if (named && encoding === named && !/^utf-/.test(encoding) && mixesUtf8(head)) {
    const what = isUtf8Text(head) ? 'its bytes are UTF-8' : 'some of its lines are UTF-8';
    const message = `${path} is read as ${encoding}, as the recipe says; ${what}, though`;
    notes.push({ kind: 'encoding', message });
  }
  return {
    encoding,
    head,
    notes,
    remedies,
    skip: mark?.bytes ?? 0,
    unit: encoding.startsWith('utf-16') ? 2 : 1,
    littleEndian: encoding === 'utf-16le',
    end: !head.includes(10) && head.includes(13) ? 13 : 10,
  };
}

/** Whether bytes are UTF-8 and more than ASCII, which is no accident. */
function isUtf8Text(head: Uint8Array): boolean {
  // Its last character may be cut.
  const whole = head.length < HEAD - 3 ? head : head.subarray(0, head.lastIndexOf(10) + 1);
  return isUtf8(whole) && !isAscii(whole);
}

/** Throws if the first bytes of what should be text are those of a binary file. */
function checkIsText(
  path: string,
  head: Uint8Array,
  { format, encoding, remedies }: { readonly format: string } & Pick<TextFormat, 'encoding' | 'remedies'>,
): void {
  const begins = (magic: string) => latin1Of(head.subarray(0, magic.length)) === magic;
  const kind = begins('PAR1')
    ? 'a Parquet file'
    : begins('\x1f\x8b')
      ? 'a gzip file'
      : begins('PK\x03\x04')
        ? 'a zip file'
        : undefined;
  if (kind) throw notOfFormat(path, `this is ${kind}, not ${format}`, remedies.kind);
  const start = head.subarray(0, 4096);
  // A single NUL makes its line a broken row; other control characters divide the columns of some tables.
  const isText = zeros(start) <= Math.floor(start.length / 50);
  const isOther = encoding === 'utf-8' && isBinary(start) && !startsAsUtf8(start);
  if (encoding.startsWith('utf-16') || (isText && !isOther)) return;
  const suggested = utf16Order(head);
  if (suggested) {
    throw new LimbeckError('data.wrong-encoding', `this is not ${encoding}; it looks like ${suggested}`, {
      where: path,
      remedy: sentence(remedies.encoding(suggested)),
    });
  }
  throw notOfFormat(path, `this is binary, not ${format}`, remedies.kind);
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** The last character may be cut. */
function startsAsUtf8(start: Uint8Array): boolean {
  return [0, 1, 2, 3].some((cut) => isUtf8(start.subarray(0, Math.max(0, start.length - cut))));
}

function zeros(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => count + Number(byte === 0), 0);
}

export function notOfFormat(path: string, problem: string, remedy = RECIPE_REMEDIES.kind): LimbeckError {
  return new LimbeckError('data.wrong-format', problem, { where: path, remedy });
}

/** The lines of a text file; one that is not of the encoding, or longer than LONGEST_LINE bytes, has a problem. */
export async function* textLines(
  path: string,
  format: TextFormat,
  signal?: AbortSignal,
): AsyncGenerator<TextLine> {
  const decode = decoderOf(format.encoding);
  let suggestion: string | undefined | null = null;
  for await (const lines of byteLines(path, format, signal)) {
    for (const { number, bytes, tooLong } of lines) {
      if (tooLong) {
        const message = `the line is longer than ${LONGEST_LINE >> 20} MB`;
        yield { number, text: latin1Of(bytes), problem: { message, reason: 'too-long' } };
        continue;
      }
      const text = decode(bytes);
      if (text?.includes('\0')) {
        const message = 'the line holds a NUL character, which no text has';
        yield { number, text, problem: { message, reason: 'encoding' } };
        continue;
      }
      if (text !== undefined) {
        // Where files were joined, the byte order mark of the second stands before a line.
        yield { number, text: text.startsWith('\ufeff') ? text.slice(1) : text };
        continue;
      }
      // A file that is UTF-8 after all, whatever the recipe says.
      if (suggestion === null)
        suggestion =
          format.encoding !== 'utf-8' && mixesUtf8(format.head)
            ? 'utf-8'
            : await suggestEncoding(evidence(format, bytes));
      const message =
        format.encoding === 'utf-8' && mixesUtf8(format.head)
          ? `bytes that are not UTF-8, as other lines are: the file mixes encodings${suggestion ? `; this line reads well as ${suggestion}` : ''}`
          : notOfEncoding(format.encoding, suggestion, format.remedies);
      yield { number, text: latin1Of(bytes), problem: { message, reason: 'encoding' } };
    }
  }
}

/** What is wrong with bytes that an encoding does not have, with the encoding that they read well as. */
export function notOfEncoding(
  encoding: string,
  suggestion: string | undefined,
  remedies: FileRemedies,
): string {
  const name = encoding === 'utf-8' ? 'UTF-8' : encoding;
  const better =
    suggestion && suggestion !== encoding
      ? `; they read well as ${suggestion}: ${remedies.encoding(suggestion)}`
      : '';
  return `bytes that are not ${name}${better}`;
}

/** The lines of the head that are not UTF-8, or the one line that was met. */
function evidence({ encoding, head }: TextFormat, line: Uint8Array): Uint8Array {
  if (encoding !== 'utf-8') return line;
  const parts = [line];
  for (let from = 0; from < head.length; ) {
    const next = head.indexOf(10, from) + 1 || head.length;
    const one = head.subarray(from, next);
    // Where the head ends within a line, the last character may be cut.
    if (next < head.length ? !isUtf8(one) : !isUtf8(one.subarray(0, -4))) parts.push(one);
    from = next;
  }
  return joinBytes(parts);
}
