import { describe, expect, it } from 'vitest';
import { chosenSamples, sampleDynamicsSchema, summarizeDynamics } from './sample-dynamics.ts';

const table = {
  confidence: [0.9, 0.91, 0.5, 0.1, 0],
  variability: [0.02, 0.01, 0.4, 0.05, 0],
  correctness: [1, 1, 0.5, 0, 0],
  seen: [4, 4, 4, 2, 0],
};

describe('summarizeDynamics', () => {
  it('has means over the samples that were seen, and puts near ones into one cell', () => {
    const { samples, looks, confidence, cells, ...rest } = summarizeDynamics(table);
    expect([samples, looks]).toEqual([4, 3.5]);
    expect(confidence).toBeCloseTo((0.9 + 0.91 + 0.5 + 0.1) / 4, 3);
    expect(cells).toContainEqual({ confidence: 0.5, variability: 0.4, correctness: 0.5, count: 1 });
    expect(cells.reduce((sum, { count }) => sum + count, 0)).toBe(4);
    const examples = { easy: [], ambiguous: [], hard: [] };
    expect(() =>
      sampleDynamicsSchema.parse({ samples, looks, confidence, cells, ...rest, examples }),
    ).not.toThrow();
  });

  it('of no sample at all is zeros', () => {
    const none = { confidence: [0], variability: [0], correctness: [0], seen: [0] };
    expect(summarizeDynamics(none)).toEqual({
      samples: 0,
      looks: 0,
      confidence: 0,
      variability: 0,
      correctness: 0,
      cells: [],
    });
  });

  it('has no more cells than the grid, whatever the number of samples', () => {
    const values = Float32Array.from({ length: 50_000 }, (_, i) => (i * 0.618) % 1);
    const many = {
      confidence: values,
      variability: values.map((value, i) => ((value * 7 + i / 50_000) % 1) / 2),
      correctness: values,
      seen: new Int32Array(50_000).fill(1),
    };
    expect(summarizeDynamics(many).cells.length).toBeLessThanOrEqual(1600);
  });
});

it('chosenSamples are the surest, the most variable and the least sure that were seen', () => {
  expect(chosenSamples(table, 2)).toEqual({ easy: [1, 0], ambiguous: [2, 3], hard: [3, 2] });
});
