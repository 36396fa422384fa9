import { expect, it } from 'vitest';
import { movementOf, variationOptions, varyImage } from '../data/modalities/image/variation.ts';
import { movedBoxes } from './moved-boxes.ts';

const [HEIGHT, WIDTH] = [40, 60];

/** An image [1, HEIGHT, WIDTH] that is white in a rectangle. */
function rectangle(left: number, top: number, right: number, bottom: number): Uint8Array {
  const pixels = new Uint8Array(HEIGHT * WIDTH);
  for (let row = top; row < bottom; row++) pixels.fill(255, row * WIDTH + left, row * WIDTH + right);
  return pixels;
}

/** Left, top, right and bottom of what is white, in pixels. */
function whiteIn(pixels: Uint8Array): number[] {
  let [left, top, right, bottom] = [WIDTH, HEIGHT, 0, 0];
  pixels.forEach((value, at) => {
    if (value < 128) return;
    const [row, column] = [Math.floor(at / WIDTH), at % WIDTH];
    [left, right] = [Math.min(left, column), Math.max(right, column + 1)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row + 1)];
  });
  return [left, top, right, bottom];
}

it.each([
  ['moved and mirrored', { crop: 6, flip: true }],
  ['enlarged and mirrored', { crop: 3, flip: true, zoom: 0.3 }],
  ['turned, moved, enlarged and mirrored', { crop: 4, flip: true, zoom: 0.2, turn: 25 }],
])('boxes lie where their things are in images that are %s', (_, given) => {
  const options = variationOptions.parse(given);
  const [left, top, right, bottom] = [20, 12, 34, 22];
  const box = {
    kind: 0,
    x: (left + right) / 2 / WIDTH,
    y: (top + bottom) / 2 / HEIGHT,
    width: (right - left) / WIDTH,
    height: (bottom - top) / HEIGHT,
  };
  const mirrored = new Set<boolean>();
  for (let view = 0; view < 20; view++) {
    const place = { seed: 1, sample: 0, view };
    const dims = [1, HEIGHT, WIDTH] as const;
    const shown = whiteIn(varyImage(rectangle(left, top, right, bottom), dims, options, place, [0]));
    const movement = movementOf(dims, options, place);
    const [moved] = movedBoxes([box], movement);
    const { x, y, width, height } = moved!;
    const edges = [
      (x - width / 2) * WIDTH,
      (y - height / 2) * HEIGHT,
      (x + width / 2) * WIDTH,
      (y + height / 2) * HEIGHT,
    ];
    edges.forEach((edge, i) => {
      expect(Math.abs(edge - shown[i]!)).toBeLessThan(1.01);
    });
    mirrored.add(movement.across[0] < 0);
  }
  expect(mirrored.size).toBe(2);
});

it('boxes are cut off at the edges, and left out where less than a quarter is visible', () => {
  const right = (part: number) => ({ across: [1, 0, part] as const, down: [0, 1, 0] as const });
  const box = { kind: 3, x: 0.8, y: 0.5, width: 0.2, height: 0.2 };
  const [cut] = movedBoxes([box], right(0.15));
  expect(cut!.kind).toBe(3);
  expect(cut!.x).toBeCloseTo(0.925, 6);
  expect(cut!.width).toBeCloseTo(0.15, 6);
  expect(movedBoxes([box], right(0.26))).toEqual([]);
});
