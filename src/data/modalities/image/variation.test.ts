import { expect, test } from 'vitest';
import { viewOf, writeView } from './augmentation.ts';
import { cutMix, mixUp } from './mixture.ts';
import { type Dims, type Variation, variationOptions, varyImage } from './variation.ts';

const DIMS: Dims = [3, 16, 16];
/** A bright square in the middle of a dark image. */
const SQUARE = Uint8Array.from({ length: 768 }, (_, i) => {
  const [row, column] = [Math.floor((i % 256) / 16), i % 16];
  return row >= 4 && row < 12 && column >= 4 && column < 12 ? 200 : 20;
});

const vary = (options: Partial<Variation>, view: number, sample = 0) =>
  varyImage(SQUARE, DIMS, variationOptions.parse(options), { seed: 1, sample, view }, [255, 0, 0]);
const views = (options: Partial<Variation>) => Array.from({ length: 50 }, (_, view) => vary(options, view));

test('a view is a function of seed, sample and view', () => {
  const all = { crop: 3, flip: true, zoom: 0.2, turn: 20, colour: 0.3 };
  expect(vary(all, 3)).toEqual(vary(all, 3));
  expect(vary(all, 3)).not.toEqual(vary(all, 4));
  expect(vary(all, 3)).not.toEqual(vary(all, 3, 1));
});

test('without options an image stays as it is, and moves are those of image tables', () => {
  expect(vary({}, 7)).toEqual(SQUARE);
  const moved = new Uint8Array(768);
  writeView(SQUARE, moved, DIMS, viewOf({ crop: 2, flip: true }, 1, 0, 7), [255, 0, 0]);
  expect(vary({ crop: 2, flip: true }, 7)).toEqual(moved);
});

test('what comes in from outside has the background colour', () => {
  const shown = views({ crop: 4 }).find((view) => view[0] === 255);
  expect([shown?.[0], shown?.[256], shown?.[512]]).toEqual([255, 0, 0]);
});

test('zoom makes larger and smaller', () => {
  const areas = views({ zoom: 0.3 }).map(
    (view) => view.subarray(256, 512).filter((value) => value > 110).length,
  );
  expect(Math.min(...areas)).toBeLessThan(55);
  expect(Math.max(...areas)).toBeGreaterThan(75);
});

test('turning keeps the area, and changes the corners of the square', () => {
  for (const view of views({ turn: 45 })) {
    const area = view.subarray(256, 512).filter((value) => value > 110).length;
    expect(Math.abs(area - 64)).toBeLessThan(8);
  }
  expect(views({ turn: 45 }).some((view) => (view[256 + 4 * 16 + 4] as number) < 110)).toBe(true);
});

test('colours change, and nothing moves', () => {
  for (const view of views({ colour: 0.5 })) {
    expect(new Set(view.subarray(0, 256)).size).toBeLessThanOrEqual(2);
    expect(view[0]).toBeLessThanOrEqual(view[8 * 16 + 8] as number);
  }
  const means = views({ colour: 0.5 }).map((view) => view[8 * 16 + 8] as number);
  expect(Math.max(...means) - Math.min(...means)).toBeGreaterThan(50);
});

test('a part of the images gets one rectangle of random pixels, of up to a third of the image', () => {
  const changed = views({ erase: 0.5 }).map((view) =>
    Array.from({ length: 256 }, (_, i) => i).filter((i) =>
      [0, 256, 512].some((channel) => view[channel + i] !== SQUARE[channel + i]),
    ),
  );
  const erased = changed.filter((pixels) => pixels.length > 0);
  expect(erased.length).toBeGreaterThan(15);
  expect(erased.length).toBeLessThan(35);
  for (const pixels of erased) {
    const [rows, columns] = [pixels.map((i) => Math.floor(i / 16)), pixels.map((i) => i % 16)];
    const side = (places: number[]) => Math.max(...places) - Math.min(...places) + 1;
    // Random pixels may be those that were there, in all channels, but hardly twice.
    expect(pixels.length).toBeGreaterThan(side(rows) * side(columns) - 3);
    expect(pixels.length).toBeLessThan(0.4 * 256);
  }
  expect(views({ erase: 0 })[0]).toEqual(SQUARE);
});

test('the rectangle is at the same place in the image of a teacher that wants another size', () => {
  const place = { seed: 1, sample: 0, view: 3 };
  const options = variationOptions.parse({ erase: 1 });
  const erasedOf = (size: number) => {
    const image = varyImage(new Uint8Array(size * size), [1, size, size], options, place, [0], [1, 16, 16]);
    const at = Array.from(image.keys()).filter((i) => image[i] !== 0);
    const [rows, columns] = [at.map((i) => Math.floor(i / size)), at.map((i) => i % size)];
    return [Math.min(...rows), Math.max(...rows) + 1, Math.min(...columns), Math.max(...columns) + 1].map(
      (edge) => edge / size,
    );
  };
  for (const [i, edge] of erasedOf(64).entries())
    expect(Math.abs(edge - (erasedOf(16)[i] as number))).toBeLessThan(0.06);
});

test('MixUp is a weighted mean', () => {
  expect(mixUp(Uint8Array.of(0, 100, 255), Uint8Array.of(200, 100, 0), 0.25)).toEqual(
    Uint8Array.of(150, 100, 64),
  );
});

test('CutMix puts a rectangle of the second image into the first, and tells the part that stayed', () => {
  const dims: Dims = [1, 8, 8];
  const [a, b] = [new Uint8Array(64).fill(1), new Uint8Array(64).fill(2)];
  const middle = cutMix(a, b, dims, 0.75, { down: 0.5, right: 0.5 });
  expect([middle.part, middle.pixels.filter((value) => value === 2).length]).toEqual([0.75, 16]);
  expect([middle.pixels[0], middle.pixels[27]]).toEqual([1, 2]);
  const corner = cutMix(a, b, dims, 0.75, { down: 0, right: 0 });
  expect([corner.part, corner.pixels[0]]).toEqual([1 - 4 / 64, 2]);
});
