import { describe, expect, it } from 'vitest';
import { randomStream } from '../random.ts';
import { KeptRows } from './kept-rows.ts';
import { neighbourRecall } from './neighbour-recall.ts';
import { similaritySpearman } from './similarity-spearman.ts';
import { measure } from './testing/reference.ts';
import { vectorCosine } from './vector-cosine.ts';

/** Vectors, and the same ones disturbed, longer, and in another base. */
function pairs(samples: number, width: number, disturbance: number) {
  const random = randomStream(3, 'vectors', disturbance);
  const vectors = Array.from({ length: samples }, () => Array.from({ length: width }, () => random.normal()));
  const others = vectors.map((vector) =>
    vector.map((value) => 3 * (value + disturbance * random.normal())).reverse(),
  );
  return { vectors, others, straight: others.map((vector) => [...vector].reverse()) };
}

describe('metrics of vectors', () => {
  it('recall@k finds the own one of equal vectors, and k of n for answers that are all alike', () => {
    const { vectors, straight } = pairs(50, 8, 0);
    const alike = vectors.map(() => [1, 1, 1, 1, 1, 1, 1, 1]);
    for (const direction of ['forward', 'backward'] as const) {
      const recall = (k: number, answers: number[][]) =>
        measure(neighbourRecall({ k, direction, width: 8 }), answers, straight);
      expect(recall(1, vectors).value).toBe(1);
      expect(recall(5, alike).value).toBeCloseTo(direction === 'forward' ? 5 / 50 : 5 / 50, 1);
      expect(recall(1, vectors).interval!.low).toBeLessThan(1);
    }
  });

  it('recall@k counts by hand, each way', () => {
    const answers = [
      [1, 0],
      [0.8, 0.6],
      [0, 1],
    ];
    const others = [
      [0.9, 0.1],
      [1, 0],
      [0, 1],
    ];
    const recall = (k: number, direction: 'forward' | 'backward') =>
      measure(neighbourRecall({ k, direction, width: 2 }), answers, others).value;
    // (1, 0) is nearest to the second, (0.8, 0.6) to the first; the second is nearest to (1, 0), the first to it as well.
    expect(recall(1, 'forward')).toBeCloseTo(1 / 3, 12);
    expect(recall(2, 'forward')).toBe(1);
    expect(recall(1, 'backward')).toBeCloseTo(2 / 3, 12);
  });

  it('the similarities of another base are the same, and fall with noise', () => {
    const spearman = (disturbance: number) => {
      const { vectors, others } = pairs(60, 16, disturbance);
      return measure(similaritySpearman({ width: 16 }), vectors, others).value;
    };
    expect(spearman(0)).toBeCloseTo(1, 6);
    expect(spearman(0.5)).toBeLessThan(0.95);
    expect(spearman(0.5)).toBeGreaterThan(spearman(2));
  });

  it('cosine is by row, whatever the lengths', () => {
    const { vectors, straight, others } = pairs(40, 8, 0);
    expect(measure(vectorCosine(), vectors, straight).value).toBeCloseTo(1, 6);
    expect(Math.abs(measure(vectorCosine(), vectors, others).value)).toBeLessThan(0.5);
    expect(measure(vectorCosine(), [[0, 0]], [[1, 2]]).value).toBe(0);
  });
});

describe('kept rows', () => {
  it('keeps a uniform sample of more rows than memory is meant for, the same each time', () => {
    const keep = () => {
      const rows = new KeptRows(2, 100);
      for (let i = 0; i < 10_000; i++) rows.add([i], [-i]);
      return rows;
    };
    const rows = keep();
    expect([rows.length, rows.seen]).toEqual([100, 10_000]);
    expect(rows.column(0)).toEqual(keep().column(0));
    expect(rows.row(7)[1]).toBe(-rows.row(7)[0]!);
    const mean = rows.column(0).reduce((sum, value) => sum + value, 0) / 100;
    expect(Math.abs(mean - 5000)).toBeLessThan(1000);
  });

  it('is bounded by numbers, not by rows', () => {
    expect(new KeptRows(1024).capacity).toBe(8192);
    expect(() => new KeptRows(2).add([1])).toThrow('a row of 1');
  });
});
