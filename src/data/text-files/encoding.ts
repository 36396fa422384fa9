import { z } from 'zod';
import { isAscii, isUtf8, latin1Of, textOf } from '../../platform/bytes.ts';

/** The option of sources that read text files. */
export const encodingOption = z
  .string()
  .refine((label) => isEncoding(label), {
    error: 'expected the name of an encoding: utf-8, windows-1252, utf-16le, shift_jis, gb18030 ...',
  })
  .optional()
  .describe(
    'How characters are stored: utf-8 when absent, or as the byte order mark says; windows-1252, shift_jis, gb18030 and so on.',
  );

function isEncoding(label: string): boolean {
  try {
    new TextDecoder(label);
    return true;
  } catch {
    return false;
  }
}

/** The canonical name of an encoding: `latin1` is `windows-1252`, as in browsers. */
export function canonicalEncoding(label: string): string {
  return new TextDecoder(label).encoding;
}

/** The encoding that a byte order mark at the beginning of a file tells, and the mark's length. */
export function byteOrderMark(head: Uint8Array): { encoding: string; bytes: number } | undefined {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', bytes: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', bytes: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', bytes: 2 };
  return undefined;
}

/** What is wrong with text in UTF-32, which no decoder of the platform reads. */
export const UTF_32 = 'it is UTF-32, which is not read';
export const FROM_UTF_32 = 'Save it as UTF-8: iconv -f utf-32 -t utf-8.';

/**
 * Whether bytes are text in UTF-32, of either order, with a byte order mark or without. The mark of one order begins with that of
 * UTF-16, and has to be told apart first.
 */
export function isUtf32(bytes: Uint8Array): boolean {
  const [a, b, c, d] = bytes;
  if (bytes.length >= 4 && ((a === 0xff && b === 0xfe && !c && !d) || (!a && !b && c === 0xfe && d === 0xff)))
    return true;
  const length = Math.min(bytes.length, 4096) & ~3;
  if (length < 8) return false;
  let [little, big] = [true, true];
  for (let i = 0; i < length; i += 4) {
    // No character lies beyond 0x10FFFF, and none of text is 0.
    const [w, x, y, z] = bytes.subarray(i, i + 4) as unknown as [number, number, number, number];
    little &&= z === 0 && y <= 0x10 && (w | x | y) !== 0;
    big &&= w === 0 && x <= 0x10 && (x | y | z) !== 0;
  }
  return little || big;
}

/** Windows-1252 from 0x80 to 0x9F (WHATWG Encoding Standard); unassigned bytes are the control characters. */
const WINDOWS_1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

/** A function from bytes to text; undefined for bytes that the encoding does not have. Byte order marks are kept. */
export function decoderOf(encoding: string): (bytes: Uint8Array) => string | undefined {
  if (encoding === 'utf-8') return (bytes) => (isUtf8(bytes) ? textOf(bytes) : undefined);
  if (encoding === 'windows-1252') {
    // Some versions of Node read this as ISO-8859-1, without the euro sign and typographic quotes.
    return (bytes) =>
      latin1Of(bytes).replace(
        /[\x80-\x9f]/g,
        (control) => WINDOWS_1252[control.charCodeAt(0) - 0x80] as string,
      );
  }
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  return (bytes) => {
    try {
      return decoder.decode(bytes);
    } catch {
      return undefined;
    }
  };
}

/** Short texts in Western languages look much like those in others; there are far more of them. */
const NEAR = 10;
const MULTI_BYTE = ['shift_jis', 'gb18030', 'big5', 'euc-kr', 'euc-jp'];

/**
 * The encoding as which bytes that are not UTF-8 read best, for a remedy: never used without being told.
 * undefined where none reads well. The library is loaded when it is called: most files are UTF-8, and a page need not wait for it.
 */
export async function suggestEncoding(bytes: Uint8Array): Promise<string | undefined> {
  const order = utf16Order(bytes);
  if (order) return order;
  // In a single-byte encoding all bytes are characters, those of images and archives as well.
  if (isBinary(bytes)) return undefined;
  const { default: chardet } = await import('chardet');
  const matches = chardet.analyse(bytes).flatMap(({ name, confidence }) => {
    const encoding = isEncoding(name) ? canonicalEncoding(name) : undefined;
    return encoding && confidence > 0 && encoding !== 'utf-8' ? [{ encoding, confidence }] : [];
  });
  const reads = (encoding: string) => {
    const text = decoderOf(encoding)(bytes);
    // Text has no control characters from 0x80 on.
    return text !== undefined && !/[\x80-\x9f\ufffd]/.test(text);
  };
  const readable = matches.filter(({ encoding }) => reads(encoding));
  const best = readable[0];
  // Bytes that pair up as characters of East Asia all along do so by no accident.
  const paired = readable.find(({ encoding }) => MULTI_BYTE.includes(encoding));
  if (paired && mostlyHigh(bytes)) return paired.encoding;
  const western = readable.find(({ encoding }) => encoding === 'windows-1252');
  if (western && best && western.confidence >= best.confidence - NEAR) return 'windows-1252';
  return best?.encoding ?? (reads('windows-1252') ? 'windows-1252' : undefined);
}

/** Control characters that a text may have by accident: so many, and a part of its bytes. */
const STRAY = { count: 8, part: 0.03 };

/**
 * Whether bytes have more control characters than any text: of random bytes (compressed data, images) one in ten is one. Not
 * counted are those of lines and pages, the escape of ISO-2022 and the end of file of DOS. UTF-16 has to be told apart before.
 */
export function isBinary(bytes: Uint8Array): boolean {
  let controls = 0;
  for (const byte of bytes) {
    if (byte < 9 || (byte > 13 && byte < 26) || (byte > 27 && byte < 32) || byte === 127) controls++;
  }
  return controls > STRAY.count + STRAY.part * bytes.length;
}

/** Whether more bytes are above ASCII than are letters of it. */
function mostlyHigh(bytes: Uint8Array): boolean {
  let high = 0;
  let letters = 0;
  for (const byte of bytes) {
    if (byte >= 0x80) high++;
    else if ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) letters++;
  }
  return high > letters;
}

/** Few short lines in other encodings are UTF-8 by accident. */
const MIXED = 0.2;

/** Whether a good part of the lines with more than ASCII are UTF-8: read as another encoding, they would be lost. */
export function mixesUtf8(head: Uint8Array): boolean {
  let [all, right] = [0, 0];
  for (let from = 0; from < head.length; ) {
    const next = head.indexOf(10, from) + 1 || head.length;
    const line = head.subarray(from, next);
    if (!isAscii(line)) {
      all++;
      if (isUtf8(line)) right++;
    }
    from = next;
  }
  return right > 0 && right >= MIXED * all;
}

/** Whether bytes are text in UTF-16 without a byte order mark. */
export function looksLikeUtf16(bytes: Uint8Array): boolean {
  return utf16Order(bytes) !== undefined;
}

/**
 * The order of the bytes of text in UTF-16; undefined for other bytes. Of Western text every other byte is mostly zero; all
 * other text has line ends, of one order alone, and letters throughout.
 */
export function utf16Order(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  let [even, odd, little, big] = [0, 0, 0, 0];
  const length = Math.min(bytes.length, 4096) & ~1;
  for (let i = 0; i < length; i += 2) {
    if (bytes[i] === 0) even++;
    if (bytes[i + 1] === 0) odd++;
    if (bytes[i] === 10 && bytes[i + 1] === 0) little++;
    if (bytes[i] === 0 && bytes[i + 1] === 10) big++;
  }
  const [more, less] = [Math.max(even, odd), Math.min(even, odd)];
  if (length >= 8 && more > 0.35 * (length / 2) && less < 0.05 * length)
    return even > odd ? 'utf-16be' : 'utf-16le';
  if (little > 0 === big > 0) return undefined;
  const order = little > 0 ? 'utf-16le' : 'utf-16be';
  return isWritten(bytes.subarray(0, length), order) ? order : undefined;
}

/** Whether bytes are letters, digits and punctuation of an encoding, and hardly anything else. */
function isWritten(bytes: Uint8Array, encoding: string): boolean {
  const text = new TextDecoder(encoding).decode(bytes);
  const others = text.match(/[^\p{L}\p{M}\p{N}\p{P}\p{S}\s]|\ufffd/gu)?.length ?? 0;
  return others <= 0.02 * text.length;
}
