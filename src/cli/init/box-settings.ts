import type { Proposal } from './proposal.ts';

/** Sizes that images are brought to, with how often the proposed student halves them: to maps of 16 to 28 places. */
const SIZES = [
  { size: 64, halvings: 2 },
  { size: 96, halvings: 2 },
  { size: 128, halvings: 3 },
  { size: 160, halvings: 3 },
  { size: 224, halvings: 3 },
] as const;
const USUAL_SIDE = 128;

/**
 * The part of a proposal that is the same for all boxes. Images are stretched: what is cut off would take boxes along.
 *
 * @param sides shorter sides of some images, in pixels, in any order
 * @param options of the target, where the data say them
 */
export function boxSettings(
  imageField: string,
  boxesField: string,
  sides: readonly number[],
  options: { readonly unit?: 'pixels' } = {},
): Pick<Proposal, 'task' | 'student' | 'set'> {
  const sorted = [...sides].sort((a, b) => a - b);
  const side = sorted[Math.floor(sorted.length / 2)] ?? USUAL_SIDE;
  const { size, halvings } = SIZES.findLast((one) => one.size <= side) ?? SIZES[0];
  const places = size / 2 ** halvings;
  const image = { modality: 'image', field: imageField, size, fit: 'stretch' };
  const boxes = { target: 'boxes', field: boxesField, grid: [places, places], ...options };
  return {
    task: 'object-detection',
    student: 'resnet',
    set: [
      `inputs=${JSON.stringify({ image })}`,
      `outputs=${JSON.stringify({ boxes })}`,
      // Its three stages halve twice.
      ...(halvings === 3 ? ['student.stride=2'] : []),
    ],
  };
}
