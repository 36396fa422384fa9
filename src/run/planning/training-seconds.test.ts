import { describe, expect, test } from 'vitest';
import {
  batchCount,
  bucketsToMeasure,
  firstBatches,
  secondsForSamples,
  secondsForSplit,
} from './batch-counts.ts';
import { evaluationCount, trainingSeconds } from './training-seconds.ts';

const split = {
  buckets: [
    { length: 16, size: 130 },
    { length: 32, size: 64 },
    { length: 64, size: 0 },
  ],
};

describe('batches of a split', () => {
  test('a short last batch is a batch, an empty bucket is none', () => {
    expect(batchCount(split, 64)).toBe(3 + 1);
    const seconds = new Map([
      [16, 0.1],
      [32, 1],
    ]);
    expect(secondsForSplit(split, 64, seconds)).toBeCloseTo(3 * 0.1 + 1, 12);
    expect(secondsForSamples(split, 64, seconds)).toBeCloseTo((130 / 64) * 0.1 + 1, 12);
  });

  test('a length between two that were measured is interpolated, one outside is told', () => {
    const buckets = [20, 24, 28].map((length) => ({ length, size: 1 }));
    const measured = new Map([
      [28, 3],
      [20, 1],
    ]);
    expect(secondsForSplit({ buckets }, 64, measured)).toBeCloseTo(1 + 2 + 3, 12);
    expect(() => secondsForSplit(split, 64, new Map([[16, 0.1]]))).toThrow(/32 is outside/);
    expect(() => secondsForSplit(split, 64, new Map([[32, 0.1]]))).toThrow(/16 is outside/);
  });

  test('the ends are measured, and between them where most tokens are', () => {
    const sized = (...sizes: number[]) => ({
      buckets: sizes.map((size, bucket) => ({ length: 8 * (bucket + 1), size })),
    });
    expect(bucketsToMeasure(sized(0, 1, 90, 10, 50, 1, 0))).toEqual([1, 2, 4, 5]);
    expect(bucketsToMeasure(sized(0, 5))).toEqual([1]);
    expect(bucketsToMeasure(sized(5, 5))).toEqual([0, 1]);
    expect(bucketsToMeasure(sized(0, 0))).toEqual([]);
  });

  test('the first batches are whole ones, in the order of the buckets', () => {
    expect(firstBatches(split, 64, 140).buckets.map(({ size }) => size)).toEqual([130, 64, 0]);
    expect(firstBatches(split, 64, 100).buckets.map(({ size }) => size)).toEqual([128, 0, 0]);
    expect(firstBatches(split, 64, 1e6).buckets.map(({ size }) => size)).toEqual([130, 64, 0]);
  });
});

test('evaluations come every so many steps, at the end of an epoch at the latest, and at the end', () => {
  expect(evaluationCount(10, 3)).toBe(3);
  expect(evaluationCount(10, 3, 4)).toBe(8);
  expect(evaluationCount(10, 3, 1000)).toBe(3);
  expect(evaluationCount(10, 2.5, 10)).toBe(3);
  expect(evaluationCount(0, 3)).toBe(0);
});

test('the seconds of a training add up', () => {
  const work = {
    split,
    batchSize: 64,
    epochs: 10,
    evaluateEvery: 2,
    checkpointEverySeconds: 20,
    step: new Map([
      [16, 1],
      [32, 2],
    ]),
    cost: {
      step: new Map(),
      prepareSeconds: 0.5,
      probe: { prepareSeconds: 0.25, seconds: 0.125 },
      held: { lengths: [16, 32], bytesPerToken: 0 },
      checkpoint: { seconds: 7, bytes: 1 },
    },
    evaluation: { seconds: 0.375, prepareSeconds: 3 },
  };
  // 10 epochs of 3 x 1 + 1 x 2; 20 evaluations; two lengths to prepare; a checkpoint at the end and every 20 s.
  const busy = 50 + 20 * (0.125 + 0.375) + 2 * 0.5 + 2 * 0.25 + 3;
  expect(trainingSeconds(work)).toBeCloseTo(busy + 7 * (1 + Math.floor(busy / 20)), 9);
  const one = trainingSeconds({ ...work, variants: 1 });
  expect(trainingSeconds(work) - one).toBeCloseTo(0.75, 9);
});
