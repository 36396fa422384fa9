import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { LimbeckError } from '../errors.ts';
import { isRunning } from '../running-process.ts';

/** The locks that this process holds: its own id in a lock may also be left from a process that had it before. */
const HELD = new Set<string>();

/** File systems that know no hard links (exFAT, some network folders) answer a link with one of these. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']);

/**
 * Makes `path` a file that says which process works here; one that a killed process left is taken over.
 * Throws LimbeckError `run.locked` while another one works here, `run.write` when the file cannot be made.
 */
export function takeLock(path: string): void {
  for (let attempt = 0; attempt < 2; attempt++) {
    if (createLock(path)) {
      HELD.add(path);
      return;
    }
    const owner = Number.parseInt(readLock(path), 10);
    if (owner === process.pid ? HELD.has(path) : isRunning(owner)) {
      throw locked(`process ${owner} is working in this folder`, path);
    }
    // Left behind by a process that was killed.
    rmSync(path, { force: true });
  }
  throw locked('another process began to work in this folder', path);
}

/** Gives the lock back, if this process holds it. */
export function releaseLock(path: string): void {
  if (HELD.delete(path)) rmSync(path, { force: true });
}

/**
 * Whether the lock was free. It appears with the id in it: a process that saw it empty would take it for a dead one's.
 */
function createLock(path: string): boolean {
  const written = `${path}.${process.pid}`;
  const content = `${process.pid}\n`;
  try {
    writeFileSync(written, content);
    try {
      linkSync(written, path);
    } catch (cause) {
      if (!NO_LINKS.has(codeOf(cause))) throw cause;
      writeFileSync(path, content, { flag: 'wx' });
    }
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false;
    throw new LimbeckError('run.write', `could not write: ${(cause as Error).message}`, {
      where: path,
      cause,
    });
  } finally {
    rmSync(written, { force: true });
  }
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? '';
}

function locked(problem: string, lock: string): LimbeckError {
  return new LimbeckError('run.locked', problem, {
    where: lock,
    remedy:
      'Wait for it, stop it, or choose another folder with --out. If it is no process of Limbeck, delete this file.',
  });
}

function readLock(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
