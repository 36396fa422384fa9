import { describe, expect, it } from 'vitest';
import { averageAccuracy, backwardTransfer, forgetting } from './continual-metrics.ts';
import { methodResults } from './continual-result.ts';

// Three tasks; the first one gets better with the second, and falls with the third.
const matrix = [
  [0.8, 0, 0],
  [0.9, 0.7, 0],
  [0.5, 0.6, 1],
];

describe('the measures of continual learning', () => {
  it('average the accuracies over the tasks so far', () => {
    expect(averageAccuracy(matrix, 0)).toBe(0.8);
    expect(averageAccuracy(matrix, 1)).toBeCloseTo(0.8, 12);
    expect(averageAccuracy(matrix)).toBeCloseTo(0.7, 12);
  });

  it('count forgetting from the best accuracy before', () => {
    // (0.9 - 0.5 + 0.7 - 0.6) / 2; after the second task -(0.9 - 0.8): it got better.
    expect(forgetting(matrix)).toBeCloseTo(0.25, 12);
    expect(forgetting(matrix, 1)).toBeCloseTo(-0.1, 12);
    expect(forgetting(matrix, 0)).toBe(0);
  });

  it('count backward transfer from the accuracy right after the task', () => {
    // (0.5 - 0.8 + 0.6 - 0.7) / 2
    expect(backwardTransfer(matrix)).toBeCloseTo(-0.2, 12);
    expect(backwardTransfer(matrix, 1)).toBeCloseTo(0.1, 12);
  });

  it("tell a method's forgetting as a part of naive fine-tuning's", () => {
    const half = [
      [0.8, 0],
      [0.6, 0.9],
    ];
    const naive = [
      [0.8, 0],
      [0.4, 0.9],
    ];
    const [first, second, joint] = methodResults([
      { method: 'naive', matrix: naive, validation: naive },
      { method: 'replay', matrix: half, validation: half },
      { method: 'joint', matrix: [[0.9, 0.7]], validation: [[0.9, 0.7]] },
    ]);
    expect(first?.forgettingOfNaive).toBe(1);
    expect(second?.forgettingOfNaive).toBeCloseTo(0.5, 12);
    expect(second?.after.map(({ accuracy }) => accuracy)).toEqual([0.8, 0.75]);
    expect(joint).toMatchObject({ accuracy: 0.8, forgetting: 0, forgettingOfNaive: null });
  });
});
