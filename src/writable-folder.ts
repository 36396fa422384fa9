import { type ErrorCode, LimbeckError } from './errors.ts';
import { type FileStatus, lstatSync, mkdtempSync, rmSync, statSync } from './platform/files.ts';
import { dirname, join, resolve } from './platform/paths.ts';

/**
 * Makes sure, before anything costs time, that files can be made in a folder; it need not be there yet, and is not made.
 * What the folder lies in is tried: rights alone do not tell of file systems that take no files (/proc).
 *
 * @throws LimbeckError `code` with the reason, the folder and the remedy
 */
export function requireWritableFolder(folder: string, code: ErrorCode, remedy: string): void {
  const path = resolve(folder);
  try {
    const probe = mkdtempSync(join(nearestFolder(path), '.limbeck-'));
    rmSync(probe, { recursive: true, force: true });
  } catch (cause) {
    throw new LimbeckError(code, `cannot write there: ${whyNotWritten(path, cause)}`, {
      where: path,
      remedy,
      cause,
    });
  }
}

/** Why a write to a path failed, as the end of a sentence. */
export function whyNotWritten(path: string, cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  const place = nearestPlace(resolve(path));
  const isAbout = place !== resolve(path) || code === 'EEXIST' || code === 'ENOTDIR' || code === 'ENOENT';
  if (isAbout) {
    const status = statusOf(place);
    if (!status) return `'${place}' is a link that leads nowhere`;
    if (!status.isDirectory()) return `'${place}' is not a folder`;
  }
  if (code === 'ENOENT') return `nothing can be made in '${place}'`;
  return REASONS[code ?? ''] ?? message;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EISDIR: 'a folder is there',
  ENAMETOOLONG: 'the path is too long for this file system',
  ENOSPC: 'the disk is full',
  ENOTEMPTY: 'a folder is there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
};

/** The folder that is there of those that a path lies in, or itself. Throws an error with the code ENOTDIR where that is no folder. */
function nearestFolder(path: string): string {
  const place = nearestPlace(path);
  if (!statusOf(place)?.isDirectory())
    throw Object.assign(new Error(`'${place}' is not a folder`), { code: 'ENOTDIR' });
  return place;
}

/** The longest part of a path at which something is. */
function nearestPlace(path: string): string {
  const above = dirname(path);
  return above === path || isTaken(path) ? path : nearestPlace(above);
}

function isTaken(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function statusOf(path: string): FileStatus | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
