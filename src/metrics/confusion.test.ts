import { describe, expect, it } from 'vitest';
import {
  accuracy,
  classResults,
  confusionCounts,
  countAnswer,
  createConfusion,
  macroF1,
} from './confusion.ts';

/** Three classes by hand: rows are truths. Class 2 has answers but no texts. */
const COUNTS = [
  [3, 1, 0],
  [2, 2, 2],
  [0, 0, 0],
];

describe('confusion', () => {
  it('counts answers by truth and prediction', () => {
    const confusion = createConfusion(2);
    for (const [truth, predicted] of [
      [0, 0],
      [0, 1],
      [0, 1],
      [1, 1],
    ] as const)
      countAnswer(confusion, truth, predicted);
    expect(confusionCounts(confusion)).toEqual([
      [1, 2],
      [0, 1],
    ]);
  });

  it.each([
    [2, 0],
    [0, 2],
    [-1, 0],
    [0, 0.5],
    [Number.NaN, 0],
  ])('refuses class %d, %d of two', (truth, predicted) => {
    expect(() => countAnswer(createConfusion(2), truth, predicted)).toThrow('outside the confusion matrix');
  });

  it('gives accuracy as right answers of all', () => {
    expect(accuracy(COUNTS)).toBeCloseTo(5 / 10, 12);
    expect(
      accuracy([
        [0, 0],
        [0, 0],
      ]),
    ).toBe(0);
  });

  it('gives recall, precision and F1 by class', () => {
    const [first, second, third] = classResults(COUNTS);
    // Class 0: TP 3, FN 1, FP 2.
    expect(first).toEqual({ support: 4, accuracy: 3 / 4, precision: 3 / 5, f1: 6 / 9 });
    // Class 1: TP 2, FN 4, FP 1.
    expect(second).toEqual({ support: 6, accuracy: 2 / 6, precision: 2 / 3, f1: 4 / 9 });
    expect(third).toEqual({ support: 0, accuracy: null, precision: 0, f1: 0 });
    expect(classResults([[0]])).toEqual([{ support: 0, accuracy: null, precision: null, f1: null }]);
  });

  it('averages F1 over the classes that have texts', () => {
    expect(macroF1(COUNTS)).toBeCloseTo((6 / 9 + 4 / 9) / 2, 12);
    expect(macroF1([[0]])).toBe(0);
  });
});
