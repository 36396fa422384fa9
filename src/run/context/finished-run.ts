import { resolve } from '../../platform/paths.ts';
import { parseRecipe } from '../../recipe/parse.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { KeptFiles } from '../folder/kept-files.ts';
import { readRun } from '../folder/run-folder.ts';
import type { RunOptions } from './run-options.ts';

/** The recipe and options of a run, from its folder alone. */
export function reopenRun(folder: string): { recipe: Recipe; options: RunOptions; files: KeptFiles } {
  const out = resolve(folder);
  const { recipe, origin, files } = readRun(out);
  return {
    recipe: parseRecipe(recipe, { file: `${out}/recipe.resolved.yaml` }),
    files,
    // Only these two: a folder may come from somebody else.
    options: { out, recipeFolder: origin.recipeFolder, storeFolder: origin.storeFolder },
  };
}
