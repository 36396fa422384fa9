import type { TransformList } from '../../compress/transforms/apply-transforms.ts';
import { wantedPrecisions } from '../../recipe/export.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Head } from '../../targets/head.ts';

/** The transforms that a recipe lists, none where it has no such key. */
export function transformsOf(
  recipe: Pick<Recipe, 'compress' | 'seed' | 'export'>,
  heads: readonly Pick<Head, 'output'>[],
): TransformList {
  const { compress, seed } = recipe;
  const fourBit = fourBitOf(recipe);
  return {
    items: (compress ?? []) as TransformList['items'],
    seed,
    outputs: heads.map(({ output }) => output),
    ...(fourBit && { fourBit }),
  };
}

/** How a recipe's student leaves in 4 bits. */
function fourBitOf({ export: exported }: Pick<Recipe, 'export'>): TransformList['fourBit'] {
  const wanted = wantedPrecisions(exported).find(({ precision }) => precision === 'q4');
  if (wanted?.precision !== 'q4') return undefined;
  const { block, expand } = wanted.form;
  return { block, expand };
}
