import { LimbeckError } from '../../errors.ts';
import { copyFileSync, linkSync, mkdirSync, renameSync, rmSync, statSync } from '../../platform/files.ts';
import { PROCESS_ID } from '../../platform/machine.ts';
import { dirname } from '../../platform/paths.ts';
import { writeError, writeSynced } from '../../replace-file.ts';
import { requireWritableFolder } from '../../writable-folder.ts';

export interface ModelFile {
  path: string;
  /** Written one after another. */
  pieces: Iterable<Uint8Array>;
}

/**
 * Writes files so that none is ever there by half, and either all are new or all are as they were: all are written
 * under temporary names first, then renamed in the order given; where a rename fails the files before it come back.
 * On an error (LimbeckError `model.disk-full`, `model.write`) no temporary file is left.
 */
export function replaceFiles(
  files: readonly ModelFile[],
  { makeFolders = false }: { makeFolders?: boolean } = {},
): void {
  for (const { path } of files) requireFilePlace(path);
  const temporary = files.map(({ path }) => `${path}.${PROCESS_ID}.tmp`);
  const before = files.map(({ path }) => `${path}.${PROCESS_ID}.old`);
  const renamed: number[] = [];
  let at = '';
  try {
    for (const [i, { path, pieces }] of files.entries()) {
      at = path;
      if (makeFolders) mkdirSync(dirname(path), { recursive: true });
      writeSynced(temporary[i]!, pieces);
    }
    for (const [i, { path }] of files.entries()) {
      at = path;
      const kept = files.length > 1 && keep(path, before[i]!);
      renameSync(temporary[i]!, path);
      renamed.push(i);
      if (!kept) before[i] = '';
    }
  } catch (cause) {
    for (const i of renamed) {
      const { path } = files[i]!;
      if (before[i]) renameSync(before[i], path);
      else rmSync(path, { force: true });
    }
    throw writeError(at, cause, 'model');
  } finally {
    for (const path of [...temporary, ...before]) if (path) rmSync(path, { force: true });
  }
}

/** A second name for a file that is about to be replaced; false where there is none. */
function keep(path: string, second: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })) return false;
  try {
    linkSync(path, second);
  } catch {
    // File systems without links (FAT, some network drives).
    copyFileSync(path, second);
  }
  return true;
}

/**
 * Makes sure, before anything costs time, that files can be written.
 *
 * @throws LimbeckError `model.write`
 */
export function requirePlaces(paths: readonly string[]): void {
  for (const path of paths) {
    requireFilePlace(path);
    requireWritableFolder(dirname(path), 'model.write', 'Give a file in a folder that you may write to.');
  }
}

/** A rename would put a file in the place of a pipe or a device. */
function requireFilePlace(path: string): void {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status || status.isFile()) return;
  const what = status.isDirectory() ? 'a folder' : 'not a file (a pipe or a device)';
  throw new LimbeckError('model.write', `could not write: ${what} is there`, {
    where: path,
    remedy: 'Give the name of a file.',
  });
}
