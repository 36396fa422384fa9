import { LimbeckError } from '../errors.ts';
import { readlinkSync, realpathSync } from '../platform/files.ts';
import { workingFolder as currentFolder } from '../platform/machine.ts';
import { dirname, isAbsolute, join, relative, resolve, sep } from '../platform/paths.ts';

/** What the paths in a recipe may reach. */
export interface PathPolicy {
  /** The folder of the recipe's file: paths are relative to it. */
  recipeFolder: string;
  /** The process's by default. */
  workingFolder?: string;
  /** Further folders (or files) that paths may lead into. */
  allowPaths?: readonly string[];
}

/**
 * The real, absolute path that a recipe means by `path`. It need not exist yet. A recipe may come from somebody else, so
 * it reaches only its own folder, the working folder and what the person allowed; links are followed before that is decided.
 *
 * @param key where the path stands in the recipe, for the error
 * @throws LimbeckError `recipe.path-outside`, `recipe.invalid` for a path that no file system can hold
 */
export function resolvePath(path: string, policy: PathPolicy, key?: string): string {
  if (path === '' || path.includes('\0')) {
    throw new LimbeckError('recipe.invalid', 'the path is empty or has a zero character in it', {
      where: key,
    });
  }
  const workingFolder = policy.workingFolder ?? currentFolder();
  const allowed = [policy.recipeFolder, workingFolder, ...(policy.allowPaths ?? [])];
  const target = realPath(resolve(workingFolder, policy.recipeFolder, path));
  for (const folder of allowed) {
    if (isWithin(target, realPath(resolve(workingFolder, folder)))) return target;
  }
  throw new LimbeckError('recipe.path-outside', `the path '${path}' leads out of the recipe's folder`, {
    where: key ? `${key}, which is ${target}` : target,
    remedy: `If you trust the recipe, allow it: --allow-path ${dirname(target)}`,
  });
}

/** The real path; of what does not exist yet, the real path of its nearest existing parent and the rest. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const parent = dirname(path);
    // Anything else (a loop of links, no permission) is not a path that may be opened.
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      throw new LimbeckError('recipe.invalid', `the path cannot be resolved (${code})`, {
        where: path,
        cause: error,
      });
    }
    // A link to a file that is not there yet leads where the link says, not where it lies.
    const link = linkTarget(path);
    if (link !== undefined) return realPath(resolve(realPath(parent), link));
    return parent === path ? path : join(realPath(parent), relative(parent, path));
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
