import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchOrder } from './batch-order.ts';
import { admittedPart, EasiestFirst } from './curriculum.ts';
import { curriculumOrder } from './curriculum-order.ts';

const bucketed = (...sizes: number[]) => ({ buckets: sizes.map((size) => ({ size })) });

describe('admittedPart', () => {
  it('rises evenly from its start to everything, and stays there', () => {
    const parts = [0, 1, 2, 4, 9].map((epoch) => admittedPart({ start: 0.2, epochs: 4 }, epoch));
    [0.2, 0.4, 0.6, 1, 1].forEach((part, i) => {
      expect(parts[i]).toBeCloseTo(part, 12);
    });
  });
});

describe('EasiestFirst', () => {
  it('takes the easiest of all buckets, by their positions there', () => {
    const easy = new EasiestFirst(bucketed(3, 2), [
      Float32Array.from([0.5, 0.1, 0.9]),
      Float32Array.from([0.2, 0.5]),
    ]);
    const first = (count: number) => easy.first(count).map((positions) => [...positions]);
    expect(first(1)).toEqual([[1], []]);
    expect(first(2)).toEqual([[1], [0]]);
    // Of equal ones the earlier.
    expect(first(3)).toEqual([[0, 1], [0]]);
    expect(first(5)).toEqual([
      [0, 1, 2],
      [0, 1],
    ]);
  });

  it('holds samples of unknown difficulty for the hardest', () => {
    const easy = new EasiestFirst(bucketed(4), [Float32Array.from([0.7, 0.8])]);
    expect([...(easy.first(2)[0] as Uint32Array)]).toEqual([0, 1]);
  });
});

describe('curriculumOrder', () => {
  const split = bucketed(50, 30);
  const easy = new EasiestFirst(split, [
    Float32Array.from({ length: 50 }, (_, i) => i / 50),
    Float32Array.from({ length: 30 }, (_, i) => i / 30),
  ]);
  const order = (seed = 3) =>
    curriculumOrder(split, 8, seed, (epoch) => (epoch === 0 ? easy.first(20) : null));
  const epochOf = (one: ReturnType<typeof order>, epoch: number) =>
    Array.from({ length: one.batchesPerEpoch }, (_, i) => one.batch(epoch, i));

  it('draws from those that are in alone, each about equally often, in as many batches as without', () => {
    const plans = epochOf(order(), 0);
    expect(plans).toHaveLength(batchOrder(split, 8, 3).batchesPerEpoch);
    const counts = new Map<string, number>();
    for (const { bucket, indices } of plans) {
      for (const index of indices) {
        expect(index).toBeLessThan(bucket === 0 ? 12 : 8);
        counts.set(`${bucket}:${index}`, (counts.get(`${bucket}:${index}`) ?? 0) + 1);
      }
    }
    expect(counts.size).toBe(20);
    // 11 batches are five passes of a full batch from each bucket, and one more.
    expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(1);
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(6);
    expect(plans.every(({ indices }) => indices.length === 8)).toBe(true);
  });

  it('has short batches alone where a bucket has less than one', () => {
    const few = curriculumOrder(split, 16, 3, () => easy.first(20));
    const sizes = Array.from({ length: few.batchesPerEpoch }, (_, i) => few.batch(0, i).indices.length);
    expect(new Set(sizes)).toEqual(new Set([12, 8]));
  });

  it('has another order in every pass', () => {
    const passes = [0, 2, 4].map((first) =>
      JSON.stringify([0, 1].map((i) => [...order().batch(0, first + i).indices])),
    );
    expect(new Set(passes).size).toBe(3);
  });

  it('is the plain order once all are in', () => {
    expect(epochOf(order(), 1)).toEqual(epochOf(batchOrder(split, 8, 3), 1));
  });

  it('goes on in the middle without what came before', () => {
    fc.assert(
      fc.property(fc.nat(1), fc.nat(10), fc.nat(10), (epoch, index, before) => {
        const used = order();
        used.batch(before % 2, before);
        expect(used.batch(epoch, index)).toEqual(order().batch(epoch, index));
      }),
      { numRuns: 40 },
    );
  });
});
