import { expect, test } from 'vitest';
import { LongTextCounter, summarizeLengths } from './text-lengths.ts';

function summaryOf(lengths: readonly number[], maxLength: number) {
  const counts = new Array<number>(maxLength + 1).fill(0);
  const long = new LongTextCounter(maxLength);
  for (const length of lengths) {
    (counts[Math.min(length, maxLength)] as number)++;
    if (length > maxLength) long.add(length);
  }
  return summarizeLengths(counts, long.found());
}

test('short texts alone', () => {
  expect(summaryOf([3, 1, 2, 2, 2], 8)).toEqual({ median: 2, most: 3, longest: 3, cut: 0, enough: 3 });
});

test('texts that are cut keep their true lengths', () => {
  // 50 texts of 10 tokens, 48 of 100, two of 5,000; an eighth of 64 is 8.
  const lengths = [...Array(50).fill(10), ...Array(48).fill(100), 5000, 5000];
  expect(summaryOf(lengths, 64)).toEqual({ median: 10, most: 104, longest: 5000, cut: 50, enough: 4096 });
  expect(summaryOf(lengths.slice(0, 98), 64)).toMatchObject({ longest: 100, cut: 48, enough: 104 });
});

test('all texts are cut', () => {
  expect(summaryOf([20, 21, 22], 10)).toMatchObject({ median: 22, longest: 22, cut: 3, enough: 22 });
});

test('no texts', () => {
  expect(summarizeLengths([], undefined)).toBeUndefined();
  expect(summaryOf([], 4)).toBeUndefined();
});
