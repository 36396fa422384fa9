import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half-float.ts';

describe('16-bit floats', () => {
  it('come back from every word', () => {
    for (let word = 0; word < 0x10000; word++) {
      if (!Number.isNaN(fromFloat16(word))) expect(toFloat16(fromFloat16(word))).toBe(word);
      if (!Number.isNaN(fromBfloat16(word))) expect(toBfloat16(fromBfloat16(word))).toBe(word);
    }
    expect(fromFloat16(toFloat16(Number.NaN))).toBeNaN();
    expect(fromBfloat16(toBfloat16(Number.NaN))).toBeNaN();
  });

  it('are the nearest of all words', () => {
    fc.assert(
      fc.property(fc.double({ min: -7e4, max: 7e4, noNaN: true }), (given) => {
        const value = Math.fround(given);
        const word = toFloat16(value);
        const error = Math.abs(fromFloat16(word) - value);
        if (!Number.isFinite(fromFloat16(word))) {
          expect(Math.abs(value)).toBeGreaterThan(65519);
          return;
        }
        for (const other of [word - 1, word + 1]) {
          const neighbour = fromFloat16(other & 0xffff);
          if (Number.isFinite(neighbour)) expect(error).toBeLessThanOrEqual(Math.abs(neighbour - value));
        }
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});
