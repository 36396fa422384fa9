import type { Dims } from './variation.ts';

/** Both images pixel by pixel, `part` of the first. Zhang et al., "mixup" (2018), section 2. */
export function mixUp(a: Uint8Array, b: Uint8Array, part: number): Uint8Array {
  return a.map((value, i) => Math.round(part * value + (1 - part) * (b[i] as number)));
}

/**
 * The first image with a rectangle of the second, whose proportions are the image's and whose middle is at `at` (0 to 1 down
 * and to the right). Yun et al., "CutMix" (2019), section 3.
 *
 * @returns the image, and the first one's part of its pixels: what is outside the image is cut off
 */
export function cutMix(
  a: Uint8Array,
  b: Uint8Array,
  [channels, height, width]: Dims,
  part: number,
  at: { readonly down: number; readonly right: number },
): { readonly pixels: Uint8Array; readonly part: number } {
  const side = Math.sqrt(1 - part);
  const [rows, columns] = [stretch(height, side, at.down), stretch(width, side, at.right)];
  const pixels = a.slice();
  for (let channel = 0; channel < channels; channel++) {
    for (let row = rows.from; row < rows.to; row++) {
      const line = (channel * height + row) * width;
      pixels.set(b.subarray(line + columns.from, line + columns.to), line + columns.from);
    }
  }
  const cut = (rows.to - rows.from) * (columns.to - columns.from);
  return { pixels, part: 1 - cut / (height * width) };
}

function stretch(length: number, side: number, middle: number) {
  const [from, to] = [-0.5, 0.5].map((end) => Math.round((middle + end * side) * length)) as [number, number];
  return { from: Math.max(0, from), to: Math.min(length, to) };
}
