import { expect, test } from 'vitest';
import { hadoopLz4, lz4Block } from './lz4-block.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (block: Uint8Array) => new TextDecoder().decode(block);
/** `abc`, then 9 bytes from 3 before (a match that overlaps itself), then `xyz`. */
const BLOCK = Uint8Array.of(0x35, ...bytes('abc'), 3, 0, 0x30, ...bytes('xyz'));
const REPEATED = 'abcabcabcabcxyz';

test('literals and matches, also of what they write themselves', () => {
  expect(text(lz4Block(BLOCK, 15))).toBe(REPEATED);
  const long = 'x'.repeat(300);
  expect(text(lz4Block(Uint8Array.of(0xf0, 255, 30, ...bytes(long)), 300))).toBe(long);
  expect(lz4Block(Uint8Array.of(0), 0)).toHaveLength(0);
});

test('a match of more than 255 bytes', () => {
  const block = Uint8Array.of(0x1f, ...bytes('x'), 1, 0, 255, 11, 0x10, ...bytes('y'));
  expect(text(lz4Block(block, 287))).toBe(`${'x'.repeat(286)}y`);
});

test('blocks with their sizes before them, and one without', () => {
  const framed = [0, 0, 0, 15, 0, 0, 0, BLOCK.length, ...BLOCK];
  expect(text(hadoopLz4(Uint8Array.from([...framed, ...framed]), 30))).toBe(REPEATED + REPEATED);
  expect(text(hadoopLz4(BLOCK, 15))).toBe(REPEATED);
});

test.each([
  ['longer than it says', BLOCK, 14, /longer than it says/],
  ['shorter than it says', BLOCK, 16, /shorter than it says/],
  ['cut in its literals', BLOCK.subarray(0, 3), 15, /cut short/],
  ['cut in a length', Uint8Array.of(0xf0, 255), 300, /cut short/],
  ['that points before its beginning', Uint8Array.of(0x10, 97, 2, 0, 0), 9, /before its beginning/],
])('a block %s is an error', (_, block, size, problem) => {
  expect(() => lz4Block(block, size)).toThrow(problem);
  expect(() => hadoopLz4(block, size)).toThrow(problem);
});
