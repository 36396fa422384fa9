import { expect, it } from 'vitest';
import { SharedInputs } from './shared-inputs.ts';

it('counts held-out samples whose input a training sample has', () => {
  const images = new SharedInputs();
  for (const image of [1, 1, 2]) images.add(Uint8Array.of(image), true);
  for (const image of [1, 1, 3]) images.add(Uint8Array.of(image), false);
  expect(images.result()).toEqual({ heldOut: 3, shared: 2 });
});
