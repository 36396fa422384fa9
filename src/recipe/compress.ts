import { z } from 'zod';
import { TRANSFORMS } from '../compress/transforms/index.ts';
import { fromRegistries } from '../registry.ts';
import { registryUnion } from './registry-union.ts';

/** What makes the student smaller or faster, one after another. */
export const compressSchema = fromRegistries(() =>
  z
    .array(registryUnion(TRANSFORMS))
    .min(1)
    .max(16)
    .optional()
    .describe(
      'Transforms of the student, in their order: some before it is trained, some while it is, some after it (docs/compress.md). Without this key nothing is changed.',
    ),
);

/** What is wrong with transforms only in view of the rest of the recipe. */
export function compressProblems(recipe: {
  readonly compress?: readonly unknown[] | undefined;
  readonly continual?: unknown;
}): { readonly path: string[]; readonly message: string }[] {
  if (!recipe.compress || !recipe.continual) return [];
  return [
    { path: ['compress'], message: 'a continual training compresses nothing: leave out one of the two' },
  ];
}
