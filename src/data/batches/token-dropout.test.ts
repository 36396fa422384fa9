import { describe, expect, it } from 'vitest';
import type { Batch } from '../batch.ts';
import { idsOf, maskOf, tokenBatch } from '../testing/batches.ts';
import { dropTokens } from './token-dropout.ts';

function batchOf(rows: number, length: number, filled: number, tokens: number): Batch {
  const ids = new BigInt64Array(rows * length).fill(3n);
  const mask = new BigInt64Array(rows * length);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < (row < filled ? tokens : 1); i++) {
      mask[row * length + i] = 1n;
      if (row < filled) ids[row * length + i] = BigInt(100 + i);
    }
  }
  const labels = new Int32Array(rows);
  return tokenBatch({
    rows,
    length,
    filled,
    ids,
    mask,
    labels,
    keys: new Uint8Array(0),
    ordinals: new Uint32Array(filled),
  });
}

describe('dropTokens', () => {
  const dropout = { fraction: 0.25, unkId: 0, seed: 7 };
  const batch = batchOf(64, 32, 60, 20);
  const count = (of: Batch) => idsOf(of).filter((id) => id === 0n).length;

  it('replaces about the fraction asked for, and only tokens of real rows', () => {
    const dropped = dropTokens(batch, dropout, 0, 0);
    // 1,200 tokens: mean 300, standard deviation 15.
    expect(count(dropped)).toBeGreaterThan(240);
    expect(count(dropped)).toBeLessThan(360);
    const wrong = Array.from(idsOf(dropped).keys()).filter((i) => {
      const isToken = i < 60 * 32 && i % 32 < 20;
      return idsOf(dropped)[i] !== idsOf(batch)[i] && !(isToken && idsOf(dropped)[i] === 0n);
    });
    expect(wrong).toEqual([]);
    expect(maskOf(dropped)).toBe(maskOf(batch));
    expect(count(batch)).toBe(0);
  });

  it('depends on seed, epoch and batch alone', () => {
    const once = idsOf(dropTokens(batch, dropout, 2, 5));
    expect(idsOf(dropTokens(batch, dropout, 2, 5))).toEqual(once);
    expect(idsOf(dropTokens(batch, dropout, 3, 5))).not.toEqual(once);
    expect(idsOf(dropTokens(batch, dropout, 2, 6))).not.toEqual(once);
    expect(idsOf(dropTokens(batch, { ...dropout, seed: 8 }, 2, 5))).not.toEqual(once);
  });

  it('leaves the batch as it is with fraction 0, and refuses fractions that are none', () => {
    expect(dropTokens(batch, { ...dropout, fraction: 0 }, 0, 0)).toBe(batch);
    for (const fraction of [1, -0.1, Number.NaN]) {
      expect(() => dropTokens(batch, { ...dropout, fraction }, 0, 0)).toThrow(/dropout/);
    }
  });
});
