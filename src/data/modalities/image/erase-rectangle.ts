import type { RandomStream } from '../../../random.ts';

/** The part of an image that a rectangle takes, and the ratios of its sides. */
const [LEAST_AREA, LARGEST_AREA] = [0.02, 0.33];
const [LEAST_RATIO, LARGEST_RATIO] = [0.3, 1 / 0.3];
/** A long rectangle may not fit. */
const ATTEMPTS = 100;

/**
 * Writes random pixels over a rectangle of an image, in place, with a probability of `chance` (Zhong et al., "Random Erasing Data
 * Augmentation", 2017, algorithm 1; the ranges are those of its section 4).
 *
 * @param pixels bytes [channels, height, width]
 */
export function eraseRectangle(
  pixels: Uint8Array,
  [channels, height, width]: readonly [channels: number, height: number, width: number],
  chance: number,
  random: RandomStream,
): void {
  if (random.uniform() >= chance) return;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // In parts of the sides: the same place in an image of another size.
    const area = LEAST_AREA + (LARGEST_AREA - LEAST_AREA) * random.uniform();
    const ratio = LEAST_RATIO * (LARGEST_RATIO / LEAST_RATIO) ** random.uniform();
    const [tall, wide] = [Math.sqrt(area * ratio), Math.sqrt(area / ratio)];
    if (tall > 1 || wide > 1) continue;
    const [down, right] = [random.uniform() * (1 - tall), random.uniform() * (1 - wide)];
    const [top, bottom] = [Math.round(height * down), Math.round(height * (down + tall))];
    const [left, end] = [Math.round(width * right), Math.round(width * (right + wide))];
    for (let channel = 0; channel < channels; channel++) {
      for (let row = top; row < bottom; row++) {
        const line = (channel * height + row) * width;
        for (let at = line + left; at < line + end; at++) pixels[at] = random.integer(256);
      }
    }
    return;
  }
}
