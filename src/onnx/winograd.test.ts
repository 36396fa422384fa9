import { expect, it } from 'vitest';
import { randomStream } from '../random.ts';
import {
  inputTransform,
  kernelTransform,
  outputsAlong,
  outputTransform,
  TILE,
  tilesAlong,
} from './winograd.ts';

const random = randomStream(1, 'winograd');

/** A kernel of three along one axis, by the transforms: [outputs]. */
function filtered(x: number[], w: number[], axis: { size: number; before: number; after: number }): number[] {
  const rows = TILE.inputs * tilesAlong(axis);
  const [b, a] = [inputTransform(axis), outputTransform(axis)];
  // The first column of places of a 3x3 kernel whose other columns are zero, at the point 0: G w times 1/4.
  const kernel = Array.from({ length: 9 }, (_, i) => (i % 3 === 0 ? w[i / 3]! : 0));
  const all = kernelTransform();
  const transformed = Array.from({ length: TILE.inputs }, (_, element) =>
    kernel.reduce((sum, value, i) => sum + 4 * all[element * TILE.inputs * 9 + i]! * value, 0),
  );
  const seen = Array.from({ length: rows }, (_, row) =>
    x.reduce((sum, value, i) => sum + b[row * axis.size + i]! * value, 0),
  );
  const products = seen.map((value, row) => value * transformed[Math.floor(row / tilesAlong(axis))]!);
  return Array.from({ length: outputsAlong(axis) }, (_, at) =>
    products.reduce((sum, value, row) => sum + a[at * rows + row]! * value, 0),
  );
}

it.each([
  [7, 1, 1],
  [9, 0, 0],
  [5, 2, 0],
  [3, 0, 0],
  [14, 0, 2],
])('filters an axis of %i pixels with %i and %i of padding as the sum says', (size, before, after) => {
  const x = Array.from({ length: size }, () => random.normal());
  const w = [random.normal(), random.normal(), random.normal()];
  const padded = [...new Array(before).fill(0), ...x, ...new Array(after).fill(0)] as number[];
  const wanted = padded
    .slice(2)
    .map((_, at) => w.reduce((sum, value, i) => sum + value * padded[at + i]!, 0));
  const found = filtered(x, w, { size, before, after });
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, at) => {
    expect(value).toBeCloseTo(wanted[at]!, 4);
  });
});
