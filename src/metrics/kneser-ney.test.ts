import { expect, it } from 'vitest';
import { randomStream } from '../random.ts';
import { fitsKneserNey, KneserNey, type Trigram } from './kneser-ney.ts';

const sumOf = (model: KneserNey, vocabulary: number, before: number, last: number) =>
  Array.from({ length: vocabulary }, (_, next) => model.probability([before, last, next])).reduce(
    (sum, one) => sum + one,
    0,
  );

it('is what the formulas give for counts that are small enough for paper', () => {
  // c(0 1 2) = 2, c(0 1 3) = 1, c(3 1 2) = 1: n1 = 2, n2 = 1, D = 1/2.
  const seen: Trigram[] = [
    [0, 1, 2],
    [0, 1, 2],
    [0, 1, 3],
    [3, 1, 2],
  ];
  const model = new KneserNey(4, seen, 100);
  expect(model.counted).toBe(4);
  // Ends of two: 1 2 after 0 and 3, 1 3 after 0: n1 = 1, n2 = 1, D = 1/3. Ends of one: 2 and 3 after 1 each: n1 = 2, n2 = 0, D = 1.
  const uniform = 1 / 4;
  const one = (_: number) => (0 + 1 * 2 * uniform) / 2;
  const two = (next: number) =>
    (([0, 0, 2 - 1 / 3, 1 - 1 / 3][next] as number) + (1 / 3) * 2 * one(next)) / 3;
  const three = (next: number) => (([0, 0, 1.5, 0.5][next] as number) + 0.5 * 2 * two(next)) / 3;
  for (let next = 0; next < 4; next++) {
    expect(model.probability([0, 1, next])).toBeCloseTo(three(next), 12);
    // Never after these two, but after the last.
    expect(model.probability([2, 1, next])).toBeCloseTo(two(next), 12);
    expect(model.probability([1, 0, next])).toBeCloseTo(one(next), 12);
  }
});

it('is a distribution after whatever stands before, and is better than guessing where there is something to learn', () => {
  const vocabulary = 30;
  const random = randomStream(1, 'trigrams');
  const tokens = [0, 0];
  for (let i = 2; i < 4000; i++) {
    const [a, b] = tokens.slice(-2) as [number, number];
    tokens.push(random.uniform() < 0.7 ? (a + 2 * b + 1) % vocabulary : random.integer(vocabulary));
  }
  const trigrams = tokens.map((next, i): Trigram => [tokens[i - 2] ?? -1, tokens[i - 1] ?? 0, next]).slice(1);
  const model = new KneserNey(vocabulary, trigrams.slice(0, 3000), 1e6);
  for (const [before, last] of [
    [0, 0],
    [-1, 3],
    [29, 29],
    [7, 11],
  ] as const)
    expect(sumOf(model, vocabulary, before, last)).toBeCloseTo(1, 10);
  const held = trigrams.slice(3000);
  const loss = held.reduce((sum, one) => sum - Math.log(model.probability(one)), 0) / held.length;
  // The entropy of what comes next is 0.7 of one token, the others alike.
  const known = 0.7 + 0.3 / vocabulary;
  const entropy = -known * Math.log(known) - 0.3 * (1 - 1 / vocabulary) * Math.log(0.3 / vocabulary);
  expect(loss).toBeGreaterThan(entropy * 0.95);
  expect(loss).toBeLessThan(0.8 * Math.log(vocabulary));
});

it('counts no more than it may, and says of which vocabularies it can', () => {
  const seen: Trigram[] = Array.from({ length: 10 }, (_, i) => [i, i, i]);
  expect(new KneserNey(10, seen, 4).counted).toBe(4);
  expect(sumOf(new KneserNey(10, [], 4), 10, 1, 2)).toBeCloseTo(1, 12);
  expect([fitsKneserNey(208_000), fitsKneserNey(256_000)]).toEqual([true, false]);
});
