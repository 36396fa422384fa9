import { describe, expect, it } from 'vitest';
import { randomStream } from '../random.ts';
import { leastSquaresStart, type TaughtText } from './least-squares-start.ts';
import { principalAxes } from './principal-axes.ts';

const WEIGHTS = [1, 0.5, 2, 1, 1, 0.25, 1, 3];

/** Texts over eight tokens, and weighted means of hidden vectors of tokens. */
function taught(texts: number, hidden: (token: number) => number[]): TaughtText[] {
  const random = randomStream(1, 'taught');
  return Array.from({ length: texts }, () => {
    const ids = Array.from({ length: 1 + random.integer(4) }, () => random.integer(7));
    const total = ids.reduce((sum, id) => sum + WEIGHTS[id]!, 0);
    const answer = hidden(0).map((_, j) =>
      ids.reduce((sum, id) => sum + (WEIGHTS[id]! / total) * hidden(id)[j]!, 0),
    );
    return { ids, answer };
  });
}

const product = (vector: ArrayLike<number>, matrix: Float32Array, outputs: number) =>
  Array.from({ length: outputs }, (_, j) =>
    Array.from(vector).reduce((sum, value, i) => sum + value * matrix[i * outputs + j]!, 0),
  );

describe('leastSquaresStart', () => {
  const hidden = (token: number) => [token, token ** 2 / 10, -1, Math.sin(token)];
  const options = { vocabularySize: 8, outputs: 4, weights: WEIGHTS, ridge: 1e-6, iterations: 40 };

  it.each([4, 6])('finds the vectors of tokens that answers are means of, in width %i', (width) => {
    const { vectors, projection } = leastSquaresStart({ ...options, width, texts: taught(60, hidden) });
    for (let token = 0; token < 7; token++) {
      const found = product(vectors.subarray(token * width, (token + 1) * width), projection, 4);
      expect(found).toEqual(hidden(token).map((value) => expect.closeTo(value, 3)));
    }
    // No text has token 7.
    expect(Array.from(vectors.subarray(7 * width))).toEqual(new Array(width).fill(0));
  });

  it('keeps the strongest axes of narrower vectors', () => {
    // All vectors lie in a plane.
    const flat = (token: number) => [token, 2 * token, 3 - token, 1];
    const { vectors, projection } = leastSquaresStart({ ...options, width: 2, texts: taught(60, flat) });
    const off = (width: number) => {
      const start = leastSquaresStart({ ...options, width, texts: taught(60, hidden) });
      return Array.from({ length: 7 }, (_, token) => {
        const found = product(
          start.vectors.subarray(token * width, (token + 1) * width),
          start.projection,
          4,
        );
        return found.reduce((sum, value, j) => sum + (value - hidden(token)[j]!) ** 2, 0);
      }).reduce((sum, value) => sum + value, 0);
    };
    for (let token = 0; token < 7; token++) {
      const found = product(vectors.subarray(2 * token, 2 * token + 2), projection, 4);
      expect(found).toEqual(flat(token).map((value) => expect.closeTo(value, 2)));
    }
    expect(off(1)).toBeGreaterThan(off(2));
    expect(off(2)).toBeGreaterThan(off(3));
  });

  it('pulls what few texts say towards 0', () => {
    const length = (ridge: number) => {
      const { vectors } = leastSquaresStart({ ...options, ridge, width: 4, texts: taught(10, hidden) });
      return Math.hypot(...vectors);
    };
    expect(length(10)).toBeLessThan(0.5 * length(0.1));
  });

  it('makes nothing of no texts', () => {
    const { vectors } = leastSquaresStart({
      ...options,
      width: 4,
      texts: [{ ids: [], answer: [1, 2, 3, 4] }],
    });
    expect(vectors.every((value) => value === 0)).toBe(true);
  });
});

it('principal axes are orthonormal, the one with the largest moment first', () => {
  const random = randomStream(2, 'rows');
  const rows = Float32Array.from({ length: 300 }, (_, i) => [9, 1, 0.1][i % 3]! * random.normal());
  const axes = principalAxes(rows, 3, 2, new Array(100).fill(1));
  const dot = (a: number, b: number) =>
    [0, 1, 2].reduce((sum, j) => sum + axes[3 * a + j]! * axes[3 * b + j]!, 0);
  expect([dot(0, 0), dot(1, 1), dot(0, 1)]).toEqual([1, 1, 0].map((value) => expect.closeTo(value, 5)));
  expect(Math.abs(axes[0]!)).toBeGreaterThan(0.99);
});
