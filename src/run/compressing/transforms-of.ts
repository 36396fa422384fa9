import type { TransformList } from '../../compress/transforms/apply-transforms.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { Head } from '../../targets/head.ts';

/** The transforms that a recipe lists, none where it has no such key. */
export function transformsOf(
  { compress, seed }: Pick<Recipe, 'compress' | 'seed'>,
  heads: readonly Pick<Head, 'output'>[],
): TransformList {
  return {
    items: (compress ?? []) as TransformList['items'],
    seed,
    outputs: heads.map(({ output }) => output),
  };
}
