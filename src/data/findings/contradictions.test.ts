import { expect, test } from 'vitest';
import { findContradictions } from './contradictions.ts';

const table = (rows: readonly (readonly [hash: number, label: number])[]) => ({
  size: rows.length,
  textHash: (sample: number) => rows[sample]![0],
  label: (sample: number) => rows[sample]![1],
});

test('texts with different labels are counted; repetitions and rows without a label are none', () => {
  const rows = [
    [7, 0],
    [8, 1],
    [7, 0], // the same again
    [8, 0], // contradicts
    [9, 1],
    [9, -1], // says nothing
    [8, 1],
  ] as const;
  expect(findContradictions(table(rows))).toEqual({ texts: 1, rows: 3, first: [[1, 3]] });
  expect(findContradictions(table(rows.slice(0, 3)))).toEqual({ texts: 0, rows: 0, first: [] });
  expect(findContradictions(table([]))).toEqual({ texts: 0, rows: 0, first: [] });
});

test('passes over parts of the texts find the same', () => {
  const rows = Array.from({ length: 1000 }, (_, i) => [(i * 7919) % 300, i % 7] as const);
  const whole = findContradictions(table(rows));
  expect(whole.texts).toBeGreaterThan(50);
  expect(whole.first).toHaveLength(3);
  expect(findContradictions(table(rows), 100)).toEqual(whole);
});
