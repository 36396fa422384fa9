import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LimbeckError } from '../errors.ts';
import { isUtf8, textOf } from '../platform/bytes.ts';
import type { Recipe } from '../recipe/schema.ts';
import { readRegularFile } from '../regular-file.ts';
import type { Cli } from './cli.ts';

/** A recipe with the folder that its paths are relative to. */
export interface LoadedRecipe {
  recipe: Recipe;
  folder: string;
}

/** Reads the recipe's file, with values of the command line put over it. Errors that come later are told with their line in it. */
export async function loadRecipe(
  cli: Pick<Cli, 'workingFolder' | 'places'>,
  file: string,
  overrides: readonly string[] = [],
): Promise<LoadedRecipe> {
  const path = resolve(cli.workingFolder, file);
  const kind = await kindOf(path);
  if (kind !== 'file') {
    throw new LimbeckError('cli.no-recipe', kind ? 'the recipe is a folder' : 'there is no such recipe', {
      where: file,
      remedy: 'Give the path of a recipe; `limbeck init` writes one.',
    });
  }
  const { readRecipe } = await import('../recipe/parse.ts');
  const { recipe, places } = readRecipe(textIn(path, file), { file, overrides });
  cli.places = places;
  return { recipe, folder: dirname(path) };
}

/** A file's text. @throws LimbeckError `cli.no-recipe` for one that is not UTF-8 (an editor of Windows writes UTF-16) */
function textIn(path: string, file: string): string {
  const bytes = readRegularFile(path);
  if (isUtf8(bytes) && !bytes.includes(0)) return textOf(bytes);
  throw new LimbeckError('cli.no-recipe', 'the recipe is no text in UTF-8', {
    where: file,
    remedy: 'Save it as UTF-8, or give the path of a recipe.',
  });
}

/** The path of a run's folder, which must be there. */
export async function requireRunFolder(folder: string, workingFolder: string): Promise<string> {
  const path = resolve(workingFolder, folder);
  if ((await kindOf(path)) !== 'folder') {
    throw new LimbeckError('cli.no-run', "there is no such run's folder", {
      where: folder,
      remedy: 'Give the folder of a run, for example runs/glosses; `limbeck distill` makes one.',
    });
  }
  return path;
}

export async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
