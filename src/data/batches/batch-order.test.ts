import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Permutation } from '../splits/permutation.ts';
import { type BatchPlan, batchOrder, sequentialBatches } from './batch-order.ts';

const splits = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 4 });
const bucketed = (sizes: number[]) => ({ buckets: sizes.map((size) => ({ size })) });
const samples = (plans: Iterable<BatchPlan>) =>
  [...plans].flatMap(({ bucket, indices }) => Array.from(indices, (index) => `${bucket}:${index}`));
const all = (sizes: number[]) =>
  sizes.flatMap((size, bucket) => Array.from({ length: size }, (_, index) => `${bucket}:${index}`));

describe('Permutation', () => {
  it('is one to one for every size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2000 }), fc.integer(), (size, seed) => {
        const permutation = new Permutation(size, seed, 'x');
        const places = new Set(Array.from({ length: size }, (_, i) => permutation.at(i)));
        expect(places.size).toBe(size);
        expect([...places].every((place) => place >= 0 && place < size)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('sends every position to every place about equally often', () => {
    // 4,000 seeds over 16 places: 250 each, standard deviation 15.
    const counts = Array.from({ length: 16 }, () => new Array<number>(16).fill(0));
    for (let seed = 0; seed < 4000; seed++) {
      const permutation = new Permutation(16, seed);
      for (let i = 0; i < 16; i++) (counts[i]![permutation.at(i)] as number)++;
    }
    for (const count of counts.flat()) {
      expect(count).toBeGreaterThan(170);
      expect(count).toBeLessThan(330);
    }
  });

  it('leaves few neighbours together', () => {
    const permutation = new Permutation(10_000, 1);
    let neighbours = 0;
    for (let i = 1; i < 10_000; i++) {
      if (Math.abs(permutation.at(i) - permutation.at(i - 1)) === 1) neighbours++;
    }
    // A random order has 2 on average.
    expect(neighbours).toBeLessThan(12);
  });

  it('handles sizes beyond 2^16 and refuses what it cannot', () => {
    const permutation = new Permutation(2 ** 30, 3);
    expect(permutation.at(2 ** 30 - 1)).toBeLessThan(2 ** 30);
    expect(() => new Permutation(2 ** 30 + 1, 3)).toThrow(/permute/);
    expect(() => new Permutation(5, 1).at(5)).toThrow(/not below 5/);
  });
});

describe('batchOrder', () => {
  it('gives every sample exactly once an epoch, in batches of one bucket', () => {
    fc.assert(
      fc.property(
        splits,
        fc.integer({ min: 1, max: 64 }),
        fc.nat(5),
        fc.nat(),
        (sizes, size, epoch, seed) => {
          const order = batchOrder(bucketed(sizes), size, seed);
          const plans = Array.from({ length: order.batchesPerEpoch }, (_, i) => order.batch(epoch, i));
          for (const { indices } of plans) {
            expect(indices.length).toBeGreaterThan(0);
            expect(indices.length).toBeLessThanOrEqual(size);
          }
          expect(samples(plans).sort()).toEqual(all(sizes).sort());
        },
      ),
      { numRuns: 60 },
    );
  });

  it('has another order in every epoch and for every seed, and the same one when asked again', () => {
    const split = bucketed([200, 50]);
    const epoch = (seed: number, number: number) => {
      const order = batchOrder(split, 16, seed);
      return samples(Array.from({ length: order.batchesPerEpoch }, (_, i) => order.batch(number, i))).join();
    };
    const orders = [epoch(1, 0), epoch(1, 1), epoch(1, 2), epoch(2, 0), epoch(2, 1)];
    expect(new Set(orders).size).toBe(orders.length);
    expect(epoch(1, 1)).toBe(orders[1]);
  });

  it('goes on in the middle without what came before', () => {
    const split = bucketed([100, 30]);
    const first = batchOrder(split, 8, 5);
    for (let i = 0; i < 10; i++) first.batch(3, i);
    expect(batchOrder(split, 8, 5).batch(3, 10)).toEqual(first.batch(3, 10));
  });

  it('mixes the batches of buckets', () => {
    const order = batchOrder(bucketed([160, 160]), 8, 1);
    const buckets = Array.from({ length: 20 }, (_, i) => order.batch(0, i).bucket);
    expect(new Set(buckets).size).toBe(2);
  });

  it('refuses batches that are not there and batch sizes that are none', () => {
    expect(() => batchOrder(bucketed([10]), 4, 1).batch(0, 3)).toThrow(/not below 3/);
    expect(() => batchOrder(bucketed([10]), 0, 1)).toThrow(/batch size 0/);
  });
});

describe('sequentialBatches', () => {
  it('gives every sample once, in order', () => {
    fc.assert(
      fc.property(splits, fc.integer({ min: 1, max: 64 }), (sizes, size) => {
        expect(samples(sequentialBatches(bucketed(sizes), size))).toEqual(all(sizes));
      }),
      { numRuns: 60 },
    );
  });
});
