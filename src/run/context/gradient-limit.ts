import type { Recipe } from '../../recipe/schema.ts';

/** The norm that a recipe scales gradients down to, as steps are given it; absent where it wants none. */
export function gradientLimit({ maxGradNorm }: Pick<Recipe['training'], 'maxGradNorm'>): {
  readonly maxGradNorm?: number;
} {
  return maxGradNorm === false ? {} : { maxGradNorm };
}
