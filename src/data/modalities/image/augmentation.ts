import { mixSeed } from '../../../random.ts';

/** How a training image is varied: moved by up to `crop` pixels (what is outside is black), mirrored or not. */
export interface Augmentation {
  readonly crop: number;
  readonly flip: boolean;
}

/** One variant of an image. */
export interface View {
  readonly down: number;
  readonly right: number;
  readonly mirrored: boolean;
}

export const PLAIN: View = { down: 0, right: 0, mirrored: false };

/** View number `view` of sample `index`: a function of the seed and these alone, so that it is the same in every run. */
export function viewOf({ crop, flip }: Augmentation, seed: number, index: number, view: number): View {
  let bits = mixSeed(seed, 'view', view, index) >>> 0;
  const draw = (bound: number) => {
    const value = bits % bound;
    bits = Math.floor(bits / bound);
    return value;
  };
  const offsets = 2 * crop + 1;
  return { down: draw(offsets) - crop, right: draw(offsets) - crop, mirrored: flip && draw(2) === 1 };
}

/** Writes `view` of the image at `from` [channels, height, width] to `to`; places outside of it are `outside`, by channel. */
export function writeView(
  from: Uint8Array,
  to: Uint8Array,
  [channels, height, width]: readonly [number, number, number],
  { down, right, mirrored }: View,
  outside: readonly number[] = [],
): void {
  for (let channel = 0; channel < channels; channel++) {
    const empty = outside[channel] ?? 0;
    for (let row = 0; row < height; row++) {
      const line = (channel * height + row) * width;
      const source = row - down;
      if (source < 0 || source >= height) {
        to.fill(empty, line, line + width);
        continue;
      }
      const start = (channel * height + source) * width;
      for (let column = 0; column < width; column++) {
        const at = (mirrored ? width - 1 - column : column) - right;
        to[line + column] = at < 0 || at >= width ? empty : (from[start + at] as number);
      }
    }
  }
}
