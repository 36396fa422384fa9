import { describe, expect, it } from 'vitest';
import { randomStream } from '../random.ts';
import {
  accuracyInterval,
  createPairedCount,
  direction,
  dropVerdict,
  exceeds,
  pairedDifference,
  unpairedDifference,
} from './interval.ts';

describe('accuracyInterval', () => {
  it('is Wilson’s', () => {
    // R: prop.test(90, 100, correct = FALSE)$conf.int
    expect(accuracyInterval(90, 100).low).toBeCloseTo(0.8256, 4);
    expect(accuracyInterval(90, 100).high).toBeCloseTo(0.9448, 4);
  });

  it('is never certain, and never outside 0 and 1', () => {
    const all = accuracyInterval(20, 20);
    expect(all.high).toBe(1);
    expect(all.low).toBeCloseTo(0.8389, 4);
    expect(accuracyInterval(0, 20)).toEqual({ low: 0, high: expect.closeTo(0.1611, 4) });
    expect(accuracyInterval(0, 0)).toEqual({ low: 0, high: 1 });
  });
});

describe('pairedDifference', () => {
  it('is Bonett and Price’s', () => {
    const { difference, low, high } = pairedDifference({ samples: 100, onlyFirst: 12, onlySecond: 2 });
    expect(difference).toBeCloseTo(0.1, 12);
    // (13 - 3) / 102 ± 1.96 sqrt((16 / 102 - (10 / 102)²) / 102)
    expect(low).toBeCloseTo(0.02358, 4);
    expect(high).toBeCloseTo(0.1725, 4);
  });

  it('changes its sign with the order of the models', () => {
    const one = pairedDifference({ samples: 300, onlyFirst: 20, onlySecond: 5 });
    const other = pairedDifference({ samples: 300, onlyFirst: 5, onlySecond: 20 });
    expect(other.difference).toBe(-one.difference);
    expect(other.low).toBeCloseTo(-one.high, 12);
  });

  it('does not take agreement on a few samples for certainty', () => {
    const { low, high } = pairedDifference({ samples: 10, onlyFirst: 0, onlySecond: 0 });
    expect(high).toBeGreaterThan(0.2);
    expect(low).toBeCloseTo(-high, 12);
    expect(pairedDifference({ samples: 0, onlyFirst: 0, onlySecond: 0 })).toEqual({
      difference: 0,
      low: -1,
      high: 1,
    });
  });

  it('holds the true difference in about 95 of 100 samples', () => {
    const random = randomStream(1, 'paired coverage');
    // Both right 0.7, only the first 0.12, only the second 0.05.
    let held = 0;
    const repetitions = 2000;
    for (let i = 0; i < repetitions; i++) {
      const count = createPairedCount();
      for (let j = 0; j < 80; j++) {
        const u = random.uniform();
        count.add(u < 0.82, u < 0.7 || (u >= 0.82 && u < 0.87));
      }
      const { low, high } = pairedDifference(count.counts());
      if (low <= 0.07 && 0.07 <= high) held++;
    }
    expect(held / repetitions).toBeGreaterThan(0.93);
    expect(held / repetitions).toBeLessThan(0.98);
  });
});

describe('unpairedDifference', () => {
  it('is Newcombe’s', () => {
    // Newcombe (1998), table II, example (a): 56/70 - 48/80 by method 10.
    const found = unpairedDifference({ accuracy: 56 / 70, samples: 70 }, { accuracy: 48 / 80, samples: 80 });
    expect(found.low).toBeCloseTo(0.0524, 4);
    expect(found.high).toBeCloseTo(0.3339, 4);
  });
});

it('calls a difference by its sign only where its interval leaves out 0', () => {
  expect(direction({ low: 0.01, high: 0.2 })).toBe('higher');
  expect(direction({ low: -0.2, high: -0.01 })).toBe('lower');
  expect(direction({ low: -0.01, high: 0.2 })).toBe('unclear');
});

it('compares counts of samples, not the last bits of floats', () => {
  expect(0.95 - 0.94 > 0.01).toBe(true);
  expect(exceeds(0.95 - 0.94, 0.01)).toBe(false);
  expect(exceeds(0.0101, 0.01)).toBe(true);
  expect(exceeds(Number.NaN, 0.01)).toBe(true);
});

it('shuts a gate only for a drop that is beyond chance', () => {
  const drop = (lost: number, won: number, samples: number) =>
    dropVerdict(pairedDifference({ samples, onlyFirst: lost, onlySecond: won }), 0.01);
  expect(drop(3, 1, 100)).toBe('unclear');
  expect(drop(300, 100, 10_000)).toBe('beyond');
  expect(drop(30, 20, 10_000)).toBe('within');
});
