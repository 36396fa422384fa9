import { workingFolder } from '../../platform/machine.ts';
import { resolvePath } from '../../recipe/resolve.ts';
import type { RunOptions } from './run-options.ts';

/** Turns the recipe's paths into absolute ones, within the folders that it may reach. */
export function recipePathResolver(
  options: Pick<RunOptions, 'recipeFolder' | 'allowPaths'>,
  key?: string,
): (path: string) => string {
  const policy = { recipeFolder: options.recipeFolder ?? workingFolder(), allowPaths: options.allowPaths };
  return (path) => resolvePath(path, policy, key);
}
