import type { DatasetInput } from '../../data/prepared/dataset-parts.ts';

/**
 * What a backbone is told of what it reads: of one input its own facts; of several, those of each by the name of its modality
 * (`{ text: { ... }, image: { ... } }`), and of two of one modality those of the first.
 *
 * @param more what belongs to the facts of a modality besides: the training texts
 */
export function backboneInputs(
  inputs: readonly Pick<DatasetInput, 'modality' | 'processor'>[],
  more: Readonly<Record<string, object>> = {},
): Readonly<Record<string, unknown>> {
  const facts = new Map<string, Readonly<Record<string, unknown>>>();
  for (const { modality, processor } of inputs) {
    if (!facts.has(modality)) facts.set(modality, { ...processor.forBackbones, ...more[modality] });
  }
  const [only] = facts.values();
  return facts.size === 1 && only ? only : Object.fromEntries(facts);
}
