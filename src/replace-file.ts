import { type ErrorArea, LimbeckError } from './errors.ts';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from './platform/files.ts';
import { PROCESS_ID } from './platform/machine.ts';
import { dirname } from './platform/paths.ts';
import { whyNotWritten } from './writable-folder.ts';

/** What a file is to hold: a text, or bytes in pieces that are written one after another. */
export type FileContent = string | Iterable<Uint8Array>;

/**
 * Writes a file that is there whole or not at all: written beside, synced, renamed. Its folder is made.
 * Throws LimbeckError `AREA.disk-full` or `AREA.write`; the file that was there before then stays.
 */
export function replaceFile(path: string, content: FileContent, area: ErrorArea): void {
  const partial = `${path}.${PROCESS_ID}.partial`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeSynced(partial, content);
    renameSync(partial, path);
  } catch (cause) {
    try {
      rmSync(partial, { force: true });
    } catch {
      // Where a folder of the path is a file there is nothing to remove, and `force` does not help.
    }
    throw writeError(path, cause, area);
  }
}

/** Writes a file and waits until the disk has it. */
export function writeSynced(path: string, content: FileContent): void {
  const pieces = typeof content === 'string' ? [new TextEncoder().encode(content)] : content;
  rmSync(path, { force: true });
  // Never through a link or into a pipe that lies there under the name.
  const file = openSync(path, 'wx');
  try {
    for (const piece of pieces) {
      // One call writes less than 2 GiB.
      for (let done = 0; done < piece.byteLength; ) {
        done += writeSync(file, piece, done, Math.min(piece.byteLength - done, 2 ** 30));
      }
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** What a file system says about a write, for the person. */
export function writeError(path: string, cause: unknown, area: ErrorArea): LimbeckError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new LimbeckError(`${area}.disk-full`, 'the disk is full', {
      where: path,
      remedy: 'Free some space and run the same command again: it goes on from here.',
      cause,
    });
  }
  return new LimbeckError(`${area}.write`, `could not write: ${whyNotWritten(path, cause)}`, {
    where: path,
    remedy: 'Check that the folder can be written to, then run the same command again.',
    cause,
  });
}
