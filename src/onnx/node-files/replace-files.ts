import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { LimbeckError } from '../../errors.ts';

export interface FileContent {
  path: string;
  /** Written one after another. */
  pieces: readonly Uint8Array[];
}

/**
 * Writes files so that none is ever there by half: all are written under temporary names first, then renamed in
 * the order given. On an error nothing has changed and no temporary file is left.
 */
export function replaceFiles(files: readonly FileContent[]): void {
  const temporary = files.map(({ path }) => `${path}.${process.pid}.tmp`);
  let at = '';
  try {
    for (const [i, { path, pieces }] of files.entries()) {
      at = path;
      writePieces(temporary[i]!, pieces);
    }
    for (const [i, { path }] of files.entries()) {
      at = path;
      renameSync(temporary[i]!, path);
    }
  } catch (cause) {
    for (const path of temporary) rmSync(path, { force: true });
    throw new LimbeckError(
      'model.not-written',
      `the file could not be written: ${(cause as Error).message}`,
      {
        where: at,
        remedy: 'Check the free space and the permissions of the folder.',
        cause,
      },
    );
  }
}

function writePieces(path: string, pieces: readonly Uint8Array[]): void {
  const descriptor = openSync(path, 'w');
  try {
    for (const piece of pieces) {
      // One call writes less than 2 GiB.
      for (let done = 0; done < piece.byteLength; ) {
        done += writeSync(descriptor, piece, done, Math.min(piece.byteLength - done, 2 ** 30));
      }
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
