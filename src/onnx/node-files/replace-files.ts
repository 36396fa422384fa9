import { renameSync, rmSync } from 'node:fs';
import { writeError, writeSynced } from '../../replace-file.ts';

export interface ModelFile {
  path: string;
  /** Written one after another. */
  pieces: readonly Uint8Array[];
}

/**
 * Writes files so that none is ever there by half: all are written under temporary names first, then renamed in
 * the order given. On an error (LimbeckError `model.disk-full`, `model.write`) nothing has changed and no temporary
 * file is left.
 */
export function replaceFiles(files: readonly ModelFile[]): void {
  const temporary = files.map(({ path }) => `${path}.${process.pid}.tmp`);
  let at = '';
  try {
    for (const [i, { path, pieces }] of files.entries()) {
      at = path;
      writeSynced(temporary[i]!, pieces);
    }
    for (const [i, { path }] of files.entries()) {
      at = path;
      renameSync(temporary[i]!, path);
    }
  } catch (cause) {
    for (const path of temporary) rmSync(path, { force: true });
    throw writeError(at, cause, 'model');
  }
}
