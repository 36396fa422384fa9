import { jsonProblem } from '../../json-problem.ts';
import type { BrokenReason } from '../sample.ts';

/** Deeper rows are no rows of a table, and programs that read them run out of stack. */
export const DEEPEST = 100;

export type JsonRow =
  | { readonly row: Record<string, unknown> }
  | { readonly problem: string; readonly reason: BrokenReason };

/**
 * Reads a line as a JSON object. Whole numbers that a double does not hold are kept as their digits; a name in `needed`
 * that the object has twice is a problem.
 */
export function parseJsonLine(line: string, needed: readonly string[]): JsonRow {
  if (depthOf(line) > DEEPEST) return { problem: `nested more than ${DEEPEST} deep`, reason: 'json' };
  let row: unknown;
  try {
    row = JSON.parse(LONG_NUMBER.test(line) ? withExactIntegers(line) : line);
  } catch {
    return { problem: `not JSON: it has ${jsonProblem(line)}`, reason: 'json' };
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    return { problem: 'not a JSON object', reason: 'json' };
  }
  const twice = duplicateKey(line, needed);
  if (twice !== undefined) return { problem: `'${twice}' is there twice`, reason: 'json' };
  return { row: row as Record<string, unknown> };
}

/** How deep brackets are nested outside of strings; the line need not be JSON. */
function depthOf(line: string): number {
  // Short lines have no room for it, and most lines are short.
  if (line.length < 2 * DEEPEST) return 0;
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if (code === 0x22) at = endOfString(line, at);
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}

/** The place of the quote that ends the string beginning at `at`; the line's length where there is none. */
function endOfString(line: string, at: number): number {
  for (let end = line.indexOf('"', at + 1); end >= 0; end = line.indexOf('"', end + 1)) {
    let escapes = 0;
    while (line[end - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return end;
  }
  return line.length;
}

const LONG_NUMBER = /\d{16}/;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** The line with integers beyond 2^53 in quotes, so that no digit of an id or a label is lost. */
function withExactIntegers(line: string): string {
  let exact = '';
  let from = 0;
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if (code === 0x22) {
      at = endOfString(line, at);
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      NUMBER.lastIndex = at;
      const [digits = ''] = NUMBER.exec(line) ?? [];
      if (/^-?\d+$/.test(digits) && !Number.isSafeInteger(Number(digits))) {
        exact += `${line.slice(from, at)}"${digits}"`;
        from = at + digits.length;
      }
      at += Math.max(digits.length, 1) - 1;
    }
  }
  return exact + line.slice(from);
}

/** The first of some names that an object has twice, of which JSON.parse silently takes the last. */
function duplicateKey(line: string, names: readonly string[]): string | undefined {
  return names.find((name) => {
    const quoted = JSON.stringify(name);
    const first = line.indexOf(quoted);
    if (first < 0 || line.indexOf(quoted, first + 1) < 0) return false;
    return topLevelKeys(line).filter((key) => key === quoted).length > 1;
  });
}

/** The keys of the object itself, in quotes, of a line that is JSON. */
function topLevelKeys(line: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if (code === 0x22) {
      const end = endOfString(line, at);
      if (depth === 1 && /^\s*:/.test(line.slice(end + 1, end + 20))) keys.push(line.slice(at, end + 1));
      at = end;
    } else if (code === 0x7b || code === 0x5b) depth++;
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return keys;
}
