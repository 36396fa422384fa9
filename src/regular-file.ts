import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';

/** What a path leads to where a file was wanted; its message completes "FILE cannot be read: ...". */
export class NotAFileError extends Error {
  /** Like the codes of Node's own file errors. */
  readonly code = 'ENOTFILE';
}

const NONBLOCK = constants.O_NONBLOCK ?? 0;

/**
 * Opens a file for reading and gives its descriptor. Everything that was not written by this process is opened by it:
 * opening a named pipe waits until somebody writes to it, and then no signal ends the process.
 *
 * @throws NotAFileError for a folder, a named pipe, a socket, a device; Node's own errors, with their codes
 */
export function openRegularFile(path: string, flags = 0): number {
  // Looked at before it is opened, because opening some devices does something.
  requireFile(statSync(path));
  const descriptor = openSync(path, constants.O_RDONLY | NONBLOCK | flags);
  try {
    // And after, because it may have been replaced meanwhile.
    requireFile(fstatSync(descriptor));
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** The bytes of a file; throws as `openRegularFile` does. */
export function readRegularFile(path: string): Buffer {
  const descriptor = openRegularFile(path);
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A file as UTF-8 text; throws as `openRegularFile` does. */
export function readRegularText(path: string): string {
  return readRegularFile(path).toString('utf8');
}

/** Throws NotAFileError unless the status is that of a regular file. */
export function requireFile(status: Stats): void {
  if (!status.isFile()) throw new NotAFileError(`it is ${nameOf(status)}, not a file`);
}

function nameOf(status: Stats): string {
  if (status.isDirectory()) return 'a folder';
  if (status.isFIFO()) return 'a named pipe';
  if (status.isSocket()) return 'a socket';
  return 'a device';
}
