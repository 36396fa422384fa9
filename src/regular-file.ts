import { LimbeckError } from './errors.ts';
import { textOf } from './platform/bytes.ts';
import {
  closeSync,
  constants,
  type FileStatus,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
} from './platform/files.ts';
import { nodeModule } from './platform/node-modules.ts';

/** Where a file was wanted there is something else; its message completes `the model cannot be read: ...`, too. */
export class NotAFileError extends LimbeckError {
  constructor(path: string, status: FileStatus) {
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
export function readRegularFile(path: string): Uint8Array {
  const descriptor = openRegularFile(path);
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The bytes of a file, one piece after another; each is gone when the next one is asked for. Throws as `openRegularFile` does. */
export function* readChunks(path: string): Generator<Uint8Array> {
  const descriptor = openRegularFile(path);
  try {
    const buffer = new Uint8Array(1 << 18);
    for (;;) {
      const read = readSync(descriptor, buffer);
      if (read === 0) return;
      yield buffer.subarray(0, read);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** A file as UTF-8 text; throws as `openRegularFile` does. */
export function readRegularText(path: string): string {
  return textOf(readRegularFile(path));
}

/** The first bytes of a file, `count` at most; throws as `openRegularFile` does. */
export function readStart(path: string, count: number): Uint8Array {
  const descriptor = openRegularFile(path);
  try {
    const start = new Uint8Array(count);
    return start.subarray(0, readSync(descriptor, start, 0, count, 0));
  } finally {
    closeSync(descriptor);
  }
}

export function requireFile(path: string, status: Omit<FileStatus, 'blocks'>): void {
  if (!status.isFile()) throw new NotAFileError(path, status as FileStatus);
}

function nameOf(status: FileStatus): string {
  if (status.isDirectory()) return 'a folder';
  if (status.isFIFO()) return 'a named pipe';
  if (status.isSocket()) return 'a socket';
  return 'a device';
}

/** `readRegularFile` for one of many files, between which a signal is to be heard. */
export async function readRegularFileAsync(path: string): Promise<Uint8Array> {
  const fs = nodeModule('node:fs/promises');
  if (!fs) return readRegularFile(path);
  requireFile(path, await fs.stat(path));
  const file = await fs.open(path, constants.O_RDONLY | NONBLOCK);
  try {
    requireFile(path, await file.stat());
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** A file in pieces; throws at once as `openRegularFile` does. */
export function streamRegularFile(
  path: string,
  options: {
    signal?: AbortSignal | undefined;
    /** Bytes of a piece. */
    highWaterMark?: number;
    /** The first byte to read. */
    start?: number;
  } = {},
): AsyncIterable<Uint8Array> {
  const fd = openRegularFile(path);
  const fs = nodeModule('node:fs');
  return fs ? fs.createReadStream(path, { ...options, fd }) : pieces(fd, options);
}

/** A file in memory in pieces. */
async function* pieces(
  descriptor: number,
  {
    signal,
    highWaterMark = 1 << 16,
    start = 0,
  }: { signal?: AbortSignal | undefined; highWaterMark?: number; start?: number },
): AsyncGenerator<Uint8Array> {
  try {
    for (let at = start; ; ) {
      signal?.throwIfAborted();
      const piece = new Uint8Array(highWaterMark);
      const count = readSync(descriptor, piece, 0, highWaterMark, at);
      if (count === 0) return;
      yield piece.subarray(0, count);
      at += count;
    }
  } finally {
    closeSync(descriptor);
  }
}
