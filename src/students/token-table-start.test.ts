import { expect, it } from 'vitest';
import { float32 } from '../onnx/tensor.ts';
import { randomStream } from '../random.ts';
import { tokenTableStart } from './token-table-start.ts';

// Vectors of 6 numbers that lie in a plane, far from 0.
const random = randomStream(1, 'tokens');
const [TOKENS, GIVEN] = [40, 6];
const [u, v] = [
  [1, 1, 0, 0, 1, -1],
  [1, -1, 2, 0, 0, 0],
];
const places = Array.from({ length: TOKENS }, () => [random.normal(), random.normal()] as const);
const vectors = float32(
  places.flatMap(([a, b]) => Array.from({ length: GIVEN }, (_, i) => 5 + a * u![i]! + b * v![i]!)),
  [TOKENS, GIVEN],
);

function distance(table: ArrayLike<number>, width: number, a: number, b: number): number {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += (table[a * width + i]! - table[b * width + i]!) ** 2;
  return Math.sqrt(sum);
}

it('keeps how far tokens lie apart, up to one scale, and is as large as drawn embeddings', () => {
  const width = 2;
  const table = tokenTableStart(vectors, width);
  const given = vectors.data as Float32Array;
  const scale = distance(table, width, 0, 1) / distance(given, GIVEN, 0, 1);
  for (let token = 1; token < TOKENS; token++) {
    const wanted = scale * distance(given, GIVEN, 0, token);
    expect(distance(table, width, 0, token)).toBeCloseTo(wanted, 4);
  }
  const deviation = Math.sqrt(table.reduce((sum, x) => sum + x * x, 0) / table.length);
  expect(deviation).toBeCloseTo(0.1, 6);
});

it('leaves axes that the teacher does not have at 0', () => {
  const table = tokenTableStart(vectors, 8);
  expect(table.length).toBe(TOKENS * 8);
  for (let token = 0; token < TOKENS; token++) expect(table[token * 8 + 7]).toBe(0);
});
