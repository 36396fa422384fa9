import type { Movement } from '../data/modalities/modality.ts';
import type { CentredBox } from './box-grid.ts';

/** A thing of which less than this part is left in the image is no longer there. */
const LEAST_VISIBLE = 0.25;

/**
 * The boxes of an image that was moved, mirrored, enlarged or turned, cut off at its edges. Of a turned box it is the box
 * around it, which is somewhat larger than the thing; those that are mostly outside are left out.
 */
export function movedBoxes(boxes: readonly CentredBox[], { across, down }: Movement): CentredBox[] {
  return boxes.flatMap(({ kind, x, y, width, height }) => {
    // Half of the box around a box: the sum of what its halves become.
    const halfWidth = (Math.abs(across[0]) * width + Math.abs(across[1]) * height) / 2;
    const halfHeight = (Math.abs(down[0]) * width + Math.abs(down[1]) * height) / 2;
    const middleX = across[0] * x + across[1] * y + across[2];
    const middleY = down[0] * x + down[1] * y + down[2];
    const [left, right] = [Math.max(0, middleX - halfWidth), Math.min(1, middleX + halfWidth)];
    const [top, bottom] = [Math.max(0, middleY - halfHeight), Math.min(1, middleY + halfHeight)];
    const visible = Math.max(0, right - left) * Math.max(0, bottom - top);
    if (visible < LEAST_VISIBLE * 4 * halfWidth * halfHeight) return [];
    return [
      { kind, x: (left + right) / 2, y: (top + bottom) / 2, width: right - left, height: bottom - top },
    ];
  });
}
