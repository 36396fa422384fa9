import type { RandomStream } from '../../random.ts';

/** A grey image of one garment on nothing: bytes [side, side], 0 where nothing is. */
export interface Garment {
  /** Number of its class. */
  readonly kind: number;
  readonly pixels: Uint8Array;
  readonly side: number;
}

/** Where a garment is in a scene: its corner at the left and top and its size, as parts of the scene's sides. */
export interface PlacedThing {
  readonly kind: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Scene {
  /** Bytes [3, size, size]. */
  readonly pixels: Uint8Array;
  /** Those behind first. */
  readonly things: readonly PlacedThing[];
}

export interface SceneOptions {
  readonly size: number;
  readonly things: readonly [number, number];
  readonly sides: readonly [number, number];
}

type Colour = readonly [number, number, number];
/** Pixels: left, top, width, height. */
type Rectangle = readonly [number, number, number, number];

/** A garment's pixel of this brightness hides all behind it; darker ones shine through. */
const OPAQUE = 48;
/** From here on a pixel belongs to the garment's box. */
const VISIBLE = 32;
/** Of a garment, at most so much lies behind another's box. */
const MOST_HIDDEN = 0.25;
const TRIES = 20;
/** Scraps of garments on the ground: as many, of such sides. */
const SCRAPS = [5, 12] as const;
const SCRAP_SIDES = [5, 12] as const;
/** Noise of the ground, up and down. */
const NOISE = 10;

/**
 * Draws a scene: a ground of two colours, scraps cut out of garments, then whole garments of random colours, sizes and
 * places, some mirrored. Nothing but sums, products and quotients of random numbers, so that every machine draws the same bytes.
 */
export function composeScene(
  garments: readonly Garment[],
  { size, things: [least, most], sides }: SceneOptions,
  random: RandomStream,
): Scene {
  const pixels = ground(size, random);
  const within = (low: number, high: number) => low + random.integer(high - low + 1);
  const pick = () => garments[random.integer(garments.length)] as Garment;
  for (let scrap = within(...SCRAPS); scrap > 0; scrap--) {
    const from = pick();
    const [width, height] = [0, 0].map(() => Math.min(from.side, within(...SCRAP_SIDES))) as [number, number];
    const cut = enlarged(from, from.side, false);
    const part: Rectangle = [
      random.integer(Math.max(1, from.side - width)),
      random.integer(Math.max(1, from.side - height)),
      width,
      height,
    ];
    paint(
      pixels,
      size,
      cut,
      from.side,
      part,
      [random.integer(size) - 4, random.integer(size) - 4],
      colour(random),
    );
  }
  const placed: Rectangle[] = [];
  const things: PlacedThing[] = [];
  for (let left = within(least, most); left > 0; left--) {
    const garment = pick();
    const side = within(Math.round(sides[0] * size), Math.round(sides[1] * size));
    const shown = enlarged(garment, side, random.integer(2) === 1);
    const own = boundsOf(shown, side);
    const tint = colour(random);
    const place = own && findPlace(own, placed, size, random);
    if (!place) continue;
    const [, , width, height] = own;
    const [x, y] = place;
    paint(pixels, size, shown, side, own, place, tint);
    placed.push([x, y, width, height]);
    things.push({ kind: garment.kind, x: x / size, y: y / size, width: width / size, height: height / size });
  }
  return { pixels, things };
}

/** From one colour at the top to another at the bottom, with noise: [3, size, size]. */
function ground(size: number, random: RandomStream): Uint8Array {
  const [upper, lower] = [0, 1].map(() => [0, 1, 2].map(() => 20 + random.integer(100))) as [
    number[],
    number[],
  ];
  const pixels = new Uint8Array(3 * size * size);
  for (let channel = 0, at = 0; channel < 3; channel++) {
    for (let row = 0; row < size; row++) {
      const down = row / (size - 1);
      const mean = (upper[channel] as number) * (1 - down) + (lower[channel] as number) * down;
      for (let column = 0; column < size; column++, at++)
        pixels[at] = Math.round(mean) + random.integer(2 * NOISE + 1) - NOISE;
    }
  }
  return pixels;
}

/** What a garment's brightness is multiplied by; one of the channels at least is bright. */
function colour(random: RandomStream): Colour {
  const channels = [0, 1, 2].map(() => 0.35 + 0.65 * random.uniform());
  channels[random.integer(3)] = 1;
  return channels as unknown as Colour;
}

/** The garment at another size, interpolated between four pixels, mirrored or not: [side, side]. */
function enlarged({ pixels, side: own }: Garment, side: number, mirrored: boolean): Uint8Array {
  if (side === own && !mirrored) return pixels;
  const to = new Uint8Array(side * side);
  const at = (row: number, column: number) =>
    row < 0 || column < 0 || row >= own || column >= own ? 0 : (pixels[row * own + column] as number);
  for (let row = 0; row < side; row++) {
    const y = ((row + 0.5) * own) / side - 0.5;
    const top = Math.floor(y);
    for (let column = 0; column < side; column++) {
      const x = ((column + 0.5) * own) / side - 0.5;
      const left = Math.floor(x);
      const [below, beside] = [y - top, x - left];
      const upper = at(top, left) * (1 - beside) + at(top, left + 1) * beside;
      const lower = at(top + 1, left) * (1 - beside) + at(top + 1, left + 1) * beside;
      to[row * side + (mirrored ? side - 1 - column : column)] = Math.round(
        upper * (1 - below) + lower * below,
      );
    }
  }
  return to;
}

/** The rectangle that holds all visible pixels; undefined where there are none. */
function boundsOf(pixels: Uint8Array, side: number): Rectangle | undefined {
  let [left, top, right, bottom] = [side, side, -1, -1];
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      if ((pixels[row * side + column] as number) < VISIBLE) continue;
      left = Math.min(left, column);
      right = Math.max(right, column);
      top = Math.min(top, row);
      bottom = row;
    }
  }
  return right < left ? undefined : [left, top, right - left + 1, bottom - top + 1];
}

/** A place inside the scene at which neither this garment nor another is hidden too much; undefined where none was found. */
function findPlace(
  [, , width, height]: Rectangle,
  placed: readonly Rectangle[],
  size: number,
  random: RandomStream,
): readonly [number, number] | undefined {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const [x, y] = [random.integer(size - width + 1), random.integer(size - height + 1)] as const;
    const hides = placed.some(([left, top, across, down]) => {
      const shared =
        Math.max(0, Math.min(x + width, left + across) - Math.max(x, left)) *
        Math.max(0, Math.min(y + height, top + down) - Math.max(y, top));
      return shared > MOST_HIDDEN * Math.min(width * height, across * down);
    });
    if (!hides) return [x, y];
  }
  return undefined;
}

/** Paints a part of a garment at a place of the scene, in a colour. */
function paint(
  scene: Uint8Array,
  size: number,
  garment: Uint8Array,
  side: number,
  [left, top, width, height]: Rectangle,
  [x, y]: readonly [number, number],
  tint: Colour,
): void {
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [r, c] = [y + row, x + column];
      if (r < 0 || c < 0 || r >= size || c >= size) continue;
      const value = garment[(top + row) * side + left + column] as number;
      const share = Math.min(1, value / OPAQUE);
      for (let channel = 0; channel < 3; channel++) {
        const at = (channel * size + r) * size + c;
        scene[at] = Math.round(
          value * (tint[channel] as number) * share + (scene[at] as number) * (1 - share),
        );
      }
    }
  }
}
