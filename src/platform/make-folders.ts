import type { Files } from './file-system.ts';
import { dirname } from './paths.ts';

/**
 * Makes a folder and those above it that are missing. `recursive` of Node is not asked: it never returns where a file system
 * takes no folders and says ENOENT (/proc on Linux, a link that leads nowhere in some versions).
 *
 * @throws what `files.mkdirSync` throws: EEXIST or ENOTDIR where a file is in the way, EACCES, EPERM, EROFS, ENOENT
 */
export function makeFolders(files: Files, path: string): void {
  try {
    files.mkdirSync(path);
    return;
  } catch (error) {
    // Some systems say EPERM or EROFS of a folder that is there.
    if (isFolder(files, path)) return;
    const above = dirname(path);
    if ((error as { code?: string }).code !== 'ENOENT' || above === path || isFolder(files, above))
      throw error;
    makeFolders(files, above);
  }
  try {
    files.mkdirSync(path);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!isFolder(files, path)) throw error;
  }
}

function isFolder(files: Files, path: string): boolean {
  try {
    return files.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false;
  }
}
