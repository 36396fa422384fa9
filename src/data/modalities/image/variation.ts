import { z } from 'zod';
import { type RandomStream, randomStream } from '../../../random.ts';
import type { Movement } from '../modality.ts';
import { type View as Move, viewOf, writeView } from './augmentation.ts';
import { eraseRectangle } from './erase-rectangle.ts';

/** Bytes in the order channel, row, column. */
export type Dims = readonly [channels: number, height: number, width: number];

/** How training images are varied. */
export const variationOptions = z.strictObject({
  crop: z
    .int()
    .min(0)
    .max(1024)
    .default(0)
    .describe('Images are moved by up to so many pixels along both sides.'),
  flip: z.boolean().default(false).describe('Half of the images are mirrored.'),
  zoom: z
    .number()
    .min(0)
    .max(0.9)
    .default(0)
    .describe('Images are made larger or smaller by up to this part of their size.'),
  turn: z.number().min(0).max(180).default(0).describe('Images are turned by up to so many degrees.'),
  colour: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Brightness, contrast and the balance of the colours change by up to this part.'),
  erase: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('The part of the images that get a rectangle of random pixels (random erasing).'),
});

export type Variation = z.output<typeof variationOptions>;

interface Place {
  readonly seed: number;
  readonly sample: number;
  readonly view: number;
}

/** How a view moves an image, and the random numbers that come after. */
function drawMove({ crop, flip, zoom, turn }: Variation, { seed, sample, view }: Place) {
  const move = viewOf({ crop, flip }, seed, sample, view);
  const random = randomStream(seed, 'image-variation', view, sample);
  if (zoom === 0 && turn === 0) return { move, random };
  // As likely to become twice as large as to become half as large.
  const scale = (1 + zoom) ** (2 * random.uniform() - 1);
  const angle = ((2 * random.uniform() - 1) * turn * Math.PI) / 180;
  return { move: { ...move, scale, angle }, random };
}

/** Where a view shows what is in an image: what `varyImage` does with pixels. */
export function movementOf([, height, width]: Dims, options: Variation, place: Place): Movement {
  const { move } = drawMove(options, place);
  const { down, right, mirrored } = move;
  if (!('scale' in move)) {
    // Moved first, then mirrored.
    return {
      across: mirrored ? [-1, 0, 1 - right / width] : [1, 0, right / width],
      down: [0, 1, down / height],
    };
  }
  // Mirrored first, then turned about the middle, which is (0.5, 0.5) whatever the proportions, then moved.
  const [cos, sin] = [Math.cos(move.angle) * move.scale, Math.sin(move.angle) * move.scale];
  const side = mirrored ? -1 : 1;
  const across = [cos * side, (sin * height) / width] as const;
  const along = [(-sin * side * width) / height, cos] as const;
  const offset = ([x, y]: readonly [number, number], moved: number) => 0.5 - 0.5 * (x + y) + moved;
  return {
    across: [...across, offset(across, right / width)],
    down: [...along, offset(along, down / height)],
  };
}

/**
 * A view of an image: position, size and angle, then colours, then what is erased. A function of the seed, the sample and the view alone.
 *
 * @param like the dims of the image that moves are drawn for, where this one shows the same in another size
 */
export function varyImage(
  from: Uint8Array,
  dims: Dims,
  options: Variation,
  place: Place,
  outside: readonly number[],
  like: Dims = dims,
): Uint8Array {
  const drawn = drawMove(options, place);
  const { random } = drawn;
  const down = Math.round((drawn.move.down * dims[1]) / like[1]);
  const right = Math.round((drawn.move.right * dims[2]) / like[2]);
  const move = { ...drawn.move, down, right };
  const shown = new Uint8Array(from.length);
  if ('scale' in move) writeTurned(from, shown, dims, move, outside);
  else writeView(from, shown, dims, move, outside);
  if (options.colour > 0) changeColours(shown, dims, options.colour, random);
  if (options.erase > 0)
    eraseRectangle(shown, dims, options.erase, randomStream(place.seed, 'erased', place.view, place.sample));
  return shown;
}

/** Writes the image moved, mirrored, enlarged by `scale` and turned by `angle` (radians) about its middle, interpolated. */
function writeTurned(
  from: Uint8Array,
  to: Uint8Array,
  [channels, height, width]: Dims,
  { down, right, mirrored, scale, angle }: Move & { readonly scale: number; readonly angle: number },
  outside: readonly number[],
): void {
  const [middleRow, middleColumn] = [(height - 1) / 2, (width - 1) / 2];
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const plane = height * width;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [y, x] = [row - down - middleRow, column - right - middleColumn];
      const sourceRow = sin * x + cos * y + middleRow;
      const along = cos * x - sin * y + middleColumn;
      const sourceColumn = mirrored ? width - 1 - along : along;
      for (let channel = 0; channel < channels; channel++) {
        const at = channel * plane + row * width + column;
        to[at] = Math.round(
          between(from, channel * plane, height, width, sourceRow, sourceColumn, outside[channel] ?? 0),
        );
      }
    }
  }
}

/** The bilinear mean of the four pixels around a place. */
function between(
  from: Uint8Array,
  start: number,
  height: number,
  width: number,
  row: number,
  column: number,
  outside: number,
): number {
  const [top, left] = [Math.floor(row), Math.floor(column)];
  const [below, beside] = [row - top, column - left];
  const pixel = (r: number, c: number) =>
    r < 0 || r >= height || c < 0 || c >= width ? outside : (from[start + r * width + c] as number);
  const upper = pixel(top, left) * (1 - beside) + pixel(top, left + 1) * beside;
  const lower = pixel(top + 1, left) * (1 - beside) + pixel(top + 1, left + 1) * beside;
  return upper * (1 - below) + lower * below;
}

/** Changes each channel to contrast * value + brightness, with a factor of its own for each channel. */
function changeColours(pixels: Uint8Array, [channels]: Dims, amount: number, random: RandomStream): void {
  const change = () => 1 + amount * (2 * random.uniform() - 1);
  const [contrast, brightness] = [change(), 255 * (change() - 1) * 0.5];
  const plane = pixels.length / channels;
  for (let channel = 0; channel < channels; channel++) {
    const gain = contrast * (1 + (change() - 1) * 0.5);
    for (let i = channel * plane; i < (channel + 1) * plane; i++) {
      const value = (pixels[i] as number) - 128;
      pixels[i] = Math.min(255, Math.max(0, Math.round(gain * value + 128 + brightness)));
    }
  }
}
