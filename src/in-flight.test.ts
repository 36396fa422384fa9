import { expect, it } from 'vitest';
import { inFlight } from './in-flight.ts';

/** Work that ends when it is told to. */
function gates() {
  const ends: (() => void)[] = [];
  return { ends, work: (n: number) => new Promise<number>((resolve) => ends.push(() => resolve(10 * n))) };
}

it('gives results in order, with so many at once', async () => {
  const { ends, work } = gates();
  const found: (readonly [number, number])[] = [];
  const all = (async () => {
    for await (const one of inFlight([1, 2, 3], 2, work)) found.push(one);
  })();
  await new Promise(setImmediate);
  expect(ends).toHaveLength(2);
  ends[1]?.();
  await new Promise(setImmediate);
  expect(found).toEqual([]);
  ends[0]?.();
  await new Promise(setImmediate);
  expect(found).toEqual([
    [1, 10],
    [2, 20],
  ]);
  expect(ends).toHaveLength(3);
  ends[2]?.();
  await all;
  expect(found).toEqual([
    [1, 10],
    [2, 20],
    [3, 30],
  ]);
});

it('throws what fails in its turn, when everything that was begun is over', async () => {
  const over: number[] = [];
  const work = async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, n === 2 ? 0 : 5));
    over.push(n);
    if (n === 2) throw new Error('two');
    return n;
  };
  const found: number[] = [];
  const all = (async () => {
    for await (const [n] of inFlight([1, 2, 3], 3, work)) found.push(n);
  })();
  await expect(all).rejects.toThrow('two');
  expect(found).toEqual([1]);
  expect(over.toSorted()).toEqual([1, 2, 3]);
});
