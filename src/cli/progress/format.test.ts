import { expect, test } from 'vitest';
import {
  fitText,
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  formatTimeLeft,
  plainLine,
  textWidth,
} from './format.ts';

test.each([
  [0, '0.0 s'],
  [4.24, '4.2 s'],
  [9.96, '10 s'],
  [59.4, '59 s'],
  [59.6, '1 min 00 s'],
  [125, '2 min 05 s'],
  [3599.9, '1 h 00 min'],
  [3900, '1 h 05 min'],
])('%d seconds', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test('time left has no false precision', () => {
  expect(formatTimeLeft(3.2)).toBe('4 s');
  expect(formatTimeLeft(75)).toBe('1 min 15 s');
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1200, '1.2 kB'],
  [999_600, '1.0 MB'],
  [25_000_000, '25 MB'],
  [3.2e12, '3.2 TB'],
])('%d bytes', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('counts and rates', () => {
  expect(formatCount(79_689)).toBe('79,689');
  expect(formatRate(2130.4, 'texts')).toBe('2,130 texts/s');
  expect(formatRate(0.7, 'steps')).toBe('1.4 s a step');
});

test('width counts columns, not characters', () => {
  expect(textWidth('abc')).toBe(3);
  expect(textWidth('蒸留')).toBe(4);
  expect(textWidth('e\u0301')).toBe(1);
  expect(fitText('蒸留蒸留', 6)).toBe('蒸留…');
  expect(fitText('abc', 3)).toBe('abc');
  expect(fitText('abcd', 3)).toBe('ab…');
  expect(fitText('abcd', 0)).toBe('');
});

test('texts of others do not steer the terminal', () => {
  expect(plainLine('a\u001B[2Jb\r\nc\u0007\u009B')).toBe('ab c ');
});
