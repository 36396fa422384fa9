import { describe, expect, it } from 'vitest';
import type { TokenBatch } from './batch.ts';
import { dropTokens } from './token-dropout.ts';

function batchOf(rows: number, length: number, filled: number, tokens: number): TokenBatch {
  const ids = new BigInt64Array(rows * length).fill(3n);
  const mask = new BigInt64Array(rows * length);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < (row < filled ? tokens : 1); i++) {
      mask[row * length + i] = 1n;
      if (row < filled) ids[row * length + i] = BigInt(100 + i);
    }
  }
  const labels = new Int32Array(rows);
  return {
    rows,
    length,
    filled,
    ids,
    mask,
    labels,
    keys: new Uint8Array(0),
    ordinals: new Uint32Array(filled),
  };
}

describe('dropTokens', () => {
  const dropout = { fraction: 0.25, unkId: 0, seed: 7 };
  const batch = batchOf(64, 32, 60, 20);
  const count = ({ ids }: TokenBatch) => ids.filter((id) => id === 0n).length;

  it('replaces about the fraction asked for, and only tokens of real rows', () => {
    const dropped = dropTokens(batch, dropout, 0, 0);
    // 1,200 tokens: mean 300, standard deviation 15.
    expect(count(dropped)).toBeGreaterThan(240);
    expect(count(dropped)).toBeLessThan(360);
    const wrong = Array.from(dropped.ids.keys()).filter((i) => {
      const isToken = i < 60 * 32 && i % 32 < 20;
      return dropped.ids[i] !== batch.ids[i] && !(isToken && dropped.ids[i] === 0n);
    });
    expect(wrong).toEqual([]);
    expect(dropped.mask).toBe(batch.mask);
    expect(count(batch)).toBe(0);
  });

  it('depends on seed, epoch and batch alone', () => {
    const once = dropTokens(batch, dropout, 2, 5).ids;
    expect(dropTokens(batch, dropout, 2, 5).ids).toEqual(once);
    expect(dropTokens(batch, dropout, 3, 5).ids).not.toEqual(once);
    expect(dropTokens(batch, dropout, 2, 6).ids).not.toEqual(once);
    expect(dropTokens(batch, { ...dropout, seed: 8 }, 2, 5).ids).not.toEqual(once);
  });

  it('leaves the batch as it is with fraction 0, and refuses fractions that are none', () => {
    expect(dropTokens(batch, { ...dropout, fraction: 0 }, 0, 0)).toBe(batch);
    for (const fraction of [1, -0.1, Number.NaN]) {
      expect(() => dropTokens(batch, { ...dropout, fraction }, 0, 0)).toThrow(/dropout/);
    }
  });
});
