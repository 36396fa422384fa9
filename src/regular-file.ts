import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  openSync,
  type ReadStream,
  readFileSync,
  type Stats,
  statSync,
} from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { LimbeckError } from './errors.ts';

/** Where a file was wanted there is something else; its message completes `the model cannot be read: ...`, too. */
export class NotAFileError extends LimbeckError {
  constructor(path: string, status: Stats) {
    super('cli.not-a-file', `it is ${nameOf(status)}, not a file`, {
      where: path,
      remedy: 'Give the path of a file; what comes through a pipe has to be written to one first.',
    });
  }
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
  requireFile(path, statSync(path));
  const descriptor = openSync(path, constants.O_RDONLY | NONBLOCK | flags);
  try {
    // And after, because it may have been replaced meanwhile.
    requireFile(path, fstatSync(descriptor));
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

function requireFile(path: string, status: Stats): void {
  if (!status.isFile()) throw new NotAFileError(path, status);
}

function nameOf(status: Stats): string {
  if (status.isDirectory()) return 'a folder';
  if (status.isFIFO()) return 'a named pipe';
  if (status.isSocket()) return 'a socket';
  return 'a device';
}

/** `readRegularFile` for one of many files, between which a signal is to be heard. */
export async function readRegularFileAsync(path: string): Promise<Buffer> {
  const file = await openRegularFileAsync(path);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** `openRegularFile` for a file that is read bit by bit. */
export async function openRegularFileAsync(path: string): Promise<FileHandle> {
  requireFile(path, await stat(path));
  const file = await open(path, constants.O_RDONLY | NONBLOCK);
  try {
    requireFile(path, await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A file as a stream; throws at once as `openRegularFile` does. */
export function streamRegularFile(
  path: string,
  options: {
    signal?: AbortSignal | undefined;
    highWaterMark?: number;
    encoding?: BufferEncoding;
    /** The first byte to read. */
    start?: number;
  } = {},
): ReadStream {
  return createReadStream(path, { ...options, fd: openRegularFile(path) });
}
