import { expect, it } from 'vitest';
import { repetition, TextSummary } from './repetition.ts';

it('counts stretches of four tokens that a text had before', () => {
  expect(repetition([1, 2, 3, 4, 5, 6, 7])).toBe(0);
  // 1 2 1 2, 2 1 2 1, 1 2 1 2, 2 1 2 1, 1 2 1 2: two different ones of five.
  expect(repetition([1, 2, 1, 2, 1, 2, 1, 2])).toBeCloseTo(1 - 2 / 5, 12);
  expect(repetition(new Array(103).fill(9))).toBe(0.99);
  expect(repetition([5, 5, 5, 5])).toBe(0);
});

it('sums up texts as means', () => {
  const summary = new TextSummary();
  summary.add([1, 2]);
  summary.add([1, 2, 1, 2, 1, 2, 1, 2]);
  const { texts, tokens, repetition: repeated } = summary.value();
  expect([texts, tokens]).toEqual([2, 5]);
  expect(repeated).toBeCloseTo(0.3, 12);
});
