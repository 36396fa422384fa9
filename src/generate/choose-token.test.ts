import { describe, expect, it } from 'vitest';
import { randomStream } from '../random.ts';
import { drawToken, largestLogit, largestPlaces, penalizeRepetition } from './choose-token.ts';

const PROBABILITIES = [0.05, 0.4, 0.1, 0.3, 0.15];
const logits = () => Float32Array.from(PROBABILITIES, Math.log);

/** How often each token is drawn, of 4,000 draws. */
function frequencies(options: Parameters<typeof drawToken>[2]): number[] {
  const random = randomStream(1, 'frequencies');
  const counts = PROBABILITIES.map(() => 0);
  for (let i = 0; i < 4000; i++) counts[drawToken(logits(), 1, options, random)]++;
  return counts.map((count) => count / 4000);
}

function expectNear(found: readonly number[], expected: readonly number[]): void {
  // Three standard deviations of a share of 4,000 draws.
  for (const [i, share] of expected.entries())
    expect(Math.abs(found[i] - share)).toBeLessThanOrEqual(3 * Math.sqrt((share * (1 - share)) / 4000));
}

describe('a token is drawn', () => {
  it('as often as the softmax says', () => expectNear(frequencies({}), PROBABILITIES));

  it('more evenly at a higher temperature', () => {
    const roots = PROBABILITIES.map(Math.sqrt);
    const sum = roots.reduce((a, b) => a + b);
    expectNear(
      frequencies({ temperature: 2 }),
      roots.map((root) => root / sum),
    );
  });

  it('of the likeliest ones alone, by their number', () =>
    expectNear(frequencies({ topK: 2 }), [0, 4 / 7, 0, 3 / 7, 0]));

  it.each([
    // Of the three likeliest, two have 0.7: not enough for 0.71.
    [0.71, [0, 0.4 / 0.85, 0, 0.3 / 0.85, 0.15 / 0.85]],
    [0.69, [0, 4 / 7, 0, 3 / 7, 0]],
    [0.01, [0, 1, 0, 0, 0]],
  ])('of the nucleus of %d', (topP, expected) => expectNear(frequencies({ topP }), expected));

  it('of the nucleus among the likeliest ones', () =>
    // Of 0.4, 0.3 and 0.15, half of their sum is 0.425.
    expectNear(frequencies({ topK: 3, topP: 0.5 }), [0, 4 / 7, 0, 3 / 7, 0]));
});

it('takes the nucleus of a long tail as sorting everything would', () => {
  const random = randomStream(3, 'tail');
  const values = Float32Array.from({ length: 2000 }, () => 3 * random.normal());
  const weights = Array.from(values, Math.exp);
  const sum = weights.reduce((a, b) => a + b);
  const order = weights.map((_, i) => i).sort((a, b) => weights[b] - weights[a]);
  let held = 0;
  const nucleus = new Set<number>();
  for (const i of order) {
    if (held >= 0.6 * sum) break;
    nucleus.add(i);
    held += weights[i];
  }
  const drawn = new Set<number>();
  for (let i = 0; i < 3000; i++) drawn.add(drawToken(values, order[0], { topP: 0.6 }, random));
  for (const id of drawn) expect(nucleus).toContain(id);
  expect(drawn.size).toBeGreaterThan(nucleus.size / 2);
});

it('makes repeated tokens less likely, whatever their sign', () => {
  const values = Float32Array.of(2, -2, 1, 4);
  penalizeRepetition(values, [0, 1, 9], 2);
  expect([...values]).toEqual([1, -4, 1, 4]);
});

it('finds the largest logit, the first of equal ones, and what is no number', () => {
  expect(largestLogit(Float32Array.of(1, 3, 3, -Infinity))).toEqual({ id: 1, usable: true });
  for (const [values, id] of [
    [[NaN, 1, 2], 0],
    [[1, 2, NaN], 2],
    [[1, Infinity, 2], 1],
    [[-Infinity, -Infinity], 0],
  ] as const)
    expect(largestLogit(Float32Array.from(values))).toEqual({ id, usable: false });
});

it('orders the largest places', () => {
  const random = randomStream(5, 'places');
  const values = Float32Array.from({ length: 300 }, () => random.integer(40));
  const expected = [...values.keys()].sort((a, b) => values[b] - values[a] || a - b);
  for (const count of [1, 7, 299, 400])
    expect(largestPlaces(values, count)).toEqual(expected.slice(0, count));
});
