import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LimbeckError } from '../errors.ts';

/**
 * Writes a file that is there whole or not at all: written beside, synced, renamed.
 * Throws LimbeckError `run.disk-full` or `run.write`; the file that was there before stays.
 */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const partial = `${path}.partial`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = openSync(partial, 'w');
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(partial, path);
  } catch (cause) {
    rmSync(partial, { force: true });
    const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new LimbeckError(
      full ? 'run.disk-full' : 'run.write',
      `could not write: ${(cause as Error).message}`,
      {
        where: path,
        remedy: full
          ? 'Free some space and run the same command again: it goes on from here.'
          : 'Check that the folder can be written to, then run the same command again.',
        cause,
      },
    );
  }
}
