import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFloat16, encodeFloat16, FLOAT16_MAX, float16Value } from './float16.ts';

const words = Uint16Array.from({ length: 0x10000 }, (_, word) => word);
const values = new Float32Array(0x10000);
decodeFloat16(words, values);

function encoded(value: number): number {
  const into = new Uint16Array(1);
  encodeFloat16(Float32Array.of(value), into);
  return into[0] as number;
}

describe('float16', () => {
  it('decodes known words', () => {
    const known: [number, number][] = [
      [0x0000, 0],
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x0400, 2 ** -14],
      [0x0001, 2 ** -24],
      [0x3555, 0.333251953125],
      [0x7c00, Infinity],
      [0xfc00, -Infinity],
    ];
    for (const [word, value] of known) expect(float16Value(word)).toBe(value);
    expect(values[0x7e00]).toBeNaN();
    expect(Object.is(values[0x8000], -0)).toBe(true);
  });

  it('gives back each of the 65,536 words', () => {
    const back = new Uint16Array(0x10000);
    encodeFloat16(values, back);
    for (let word = 0; word < 0x10000; word++) {
      const same = Number.isNaN(values[word])
        ? Number.isNaN(float16Value(back[word] as number))
        : back[word] === word;
      if (!same) expect.fail(`word ${word} came back as ${back[word]}`);
    }
  });

  it('rounds to the nearest between all neighbours, and ties to the even word', () => {
    const scratch = new Float32Array(1);
    const bits = new Uint32Array(scratch.buffer);
    /** What the float32 value that is so many steps from another becomes. */
    const beside = (value: number, steps: number) => {
      scratch[0] = value;
      bits[0] = (bits[0] as number) + steps;
      return encoded(scratch[0] as number);
    };
    for (let low = 0; low < 0x7bff; low++) {
      const a = float16Value(low);
      const b = float16Value(low + 1);
      const middle = (a + b) / 2;
      const even = low % 2 === 0 ? low : low + 1;
      const found = [encoded(middle), encoded(-middle), beside(middle, -1), beside(middle, 1)];
      const wanted = [even, even | 0x8000, low, low + 1];
      if (`${found}` !== `${wanted}`) expect.fail(`between ${a} and ${b}: ${found}, not ${wanted}`);
    }
  });

  it('never errs by more than half a step', () => {
    fc.assert(
      fc.property(fc.float({ min: -FLOAT16_MAX, max: FLOAT16_MAX, noNaN: true }), (value) => {
        const step = 2 ** Math.max(-24, Math.floor(Math.log2(Math.abs(value) || 2 ** -30)) - 10);
        expect(Math.abs(float16Value(encoded(value)) - value)).toBeLessThanOrEqual(step / 2);
      }),
    );
  });

  it('tells the first finite value that is too large', () => {
    const into = new Uint16Array(4);
    expect(encodeFloat16(Float32Array.of(1, 65519.996, Infinity, 2), into)).toBe(-1);
    expect(encodeFloat16(Float32Array.of(1, -65520, 1e30, 2), into)).toBe(1);
    expect(float16Value(into[1] as number)).toBe(-Infinity);
  });
});
