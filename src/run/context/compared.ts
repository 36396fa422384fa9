import type { Recipe } from '../../recipe/schema.ts';
import type { RunOptions } from './run-options.ts';

/** Whether the student is compared with what one would have without this distillation. */
export function isCompared(
  recipe: Pick<Recipe, 'baseline'>,
  { baseline }: Pick<RunOptions, 'baseline'>,
): boolean {
  return baseline !== false && recipe.baseline !== false;
}

/** Passes of the baseline over the labelled samples, at most; 0 where there is none. */
export function baselineEpochs({ baseline }: Pick<Recipe, 'baseline'>): number {
  return baseline === false ? 0 : baseline.epochs;
}
