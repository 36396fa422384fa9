import type { Dataset } from '../../data/dataset.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../../targets/pair-embeds.ts';

/** The input that each side of a pair is made from, where there are several: the first one of its modality. */
export function sidesOf(inputs: Dataset['inputs']): ReadonlyMap<string, string> {
  if (inputs.length < 2) return new Map();
  const sides = { [TEXT_EMBEDS]: 'text', [IMAGE_EMBEDS]: 'image' };
  return new Map(
    Object.entries(sides).flatMap(([side, modality]) => {
      const input = inputs.find((one) => one.modality === modality);
      return input ? [[side, input.name] as const] : [];
    }),
  );
}
