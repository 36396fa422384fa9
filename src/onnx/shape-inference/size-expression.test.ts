import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dim } from '../graph.ts';
import {
  addDims,
  broadcastDim,
  divideDims,
  equalDims,
  floorDivideDims,
  meetAsEqual,
  multiplyDims,
  quotientOfDims,
  sliceName,
  subtractDims,
} from './size-expression.ts';

/** An expression with its value for a = 3, b = 5, c = 7. */
const SIZES: Record<string, number> = { a: 3, b: 5, c: 7 };
type Known = { dim: Dim; value: number };
const leaf: fc.Arbitrary<Known> = fc.oneof(
  fc.constantFrom('a', 'b', 'c').map((name) => ({ dim: name, value: SIZES[name] })),
  fc.integer({ min: 0, max: 4 }).map((n) => ({ dim: n, value: n })),
);
const expression: fc.Arbitrary<Known> = fc.letrec<{ node: Known }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.tuple(fc.constantFrom('+', '-', '*'), tie('node'), tie('node')).map(([op, x, y]): Known => {
      if (op === '+') return { dim: addDims(x.dim, y.dim), value: x.value + y.value };
      if (op === '-') return { dim: subtractDims(x.dim, y.dim), value: x.value - y.value };
      return { dim: multiplyDims(x.dim, y.dim), value: x.value * y.value };
    }),
  ),
})).node;

describe('sizes as expressions', () => {
  it('have one name for one size', () => {
    expect(addDims(multiplyDims('s', 'b'), 1)).toBe('b*s + 1');
    expect(addDims(1, multiplyDims('b', 's'))).toBe('b*s + 1');
    expect(subtractDims(addDims('s', 2), 's')).toBe(2);
    expect(subtractDims(1, 's')).toBe('1 - s');
    expect(addDims('past + new', 'new')).toBe('2*new + past');
    expect(multiplyDims('x', addDims('s', -1))).toBe('s*x - x');
  });

  it('obey the laws of arithmetic, by name', () => {
    fc.assert(
      fc.property(expression, expression, expression, (x, y, z) => {
        const [p, q, r] = [x.dim, y.dim, z.dim];
        expect(addDims(p, q)).toBe(addDims(q, p));
        expect(subtractDims(addDims(p, q), q)).toBe(addDims(p, 0));
        // Beyond what is short enough to be read, a name stands for itself.
        const short = [p, q, r].every((dim) => String(dim).length < 8);
        if (short)
          expect(multiplyDims(p, addDims(q, r))).toBe(addDims(multiplyDims(p, q), multiplyDims(p, r)));
        if (typeof p === 'number') expect(p).toBe(x.value);
        const equal = equalDims(p, q);
        if (equal !== undefined && x.value >= 0 && y.value >= 0) expect(equal).toBe(x.value === y.value);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('are divided where that is whole', () => {
    expect(divideDims('12*b*s', multiplyDims('b', 4))).toBe('3*s');
    expect(divideDims('s', 2)).toBeUndefined();
    expect(floorDivideDims('s', 2)).toBe('floor((s) / (2))');
    expect(floorDivideDims('s', 2)).toBe(floorDivideDims('s', 2));
    expect(quotientOfDims(['b', 's + 1', 64], [64, 's + 1'])).toBe('b');
    expect(quotientOfDims([768, 'b'], [12, 'b'])).toBe(64);
  });

  it('that broadcast are the number, the one symbol, or a name of both', () => {
    expect(broadcastDim('b', 1)).toBe('b');
    expect(broadcastDim('b', 4)).toBe(4);
    expect(broadcastDim('b', 'a')).toBe('broadcast(a, b)');
    expect(broadcastDim(broadcastDim('b', 'a'), 'b')).toBe('broadcast(a, b)');
  });

  it('of slices are what they were meant to take where they meet it', () => {
    const slice = sliceName(512, 'past', addDims('past', 's'));
    expect(broadcastDim(slice, 's')).toBe('s');
    expect(meetAsEqual('s', slice)).toBe(true);
    expect(meetAsEqual('t', slice)).toBe(false);
  });

  it('stay short, whatever a file names', () => {
    let dim: Dim = 'x'.repeat(60);
    for (let i = 0; i < 200; i++) dim = multiplyDims(addDims(dim, `n${i}`), addDims(dim, 'm'));
    expect(String(dim).length).toBeLessThan(200);
  });
});
