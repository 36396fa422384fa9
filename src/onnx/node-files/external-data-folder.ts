import { LimbeckError } from '../../errors.ts';
import { isLfsPointer, LFS_POINTER } from '../../lfs-pointer.ts';
import { closeSync, constants, fstatSync, readSync, realpathSync } from '../../platform/files.ts';
import { dirname, isAbsolute, resolve, sep } from '../../platform/paths.ts';
import { openRegularFile } from '../../regular-file.ts';

import type { StoredRange } from '../stored-tensor.ts';

interface DataFile {
  readonly path: string;
  /** What it was when it was opened: another one must not be read in its place. */
  readonly changed: number;
  readonly descriptor: number;
  readonly size: number;
  /** Bytes handed out so far. */
  read: number;
}

/** A file's ranges may be shared between tensors (tied weights), but not so often that a small file fills memory. */
const MAX_READS_OF_A_BYTE = 4;
const CHUNK_BYTES = 2 ** 20;

/**
 * The data files beside a model. A model is untrusted input: its locations may lead nowhere but into its own
 * folder, and its offsets and lengths are checked against the file's size before memory is taken.
 */
export class ExternalDataFolder {
  private readonly modelPath: string;
  private readonly files = new Map<string, DataFile>();

  constructor(modelPath: string) {
    this.modelPath = modelPath;
  }

  /** The files that were read, absolute. */
  get paths(): string[] {
    return [...this.files.values()].map(({ path }) => path);
  }

  read(location: string, offset: number, length: number): Uint8Array {
    const file = this.taken(location, offset, length);
    return this.bytesOf(file.descriptor, location, offset, length);
  }

  /** The same bytes to be read later, also after `close`: each time anew, and never those of a file that was changed meanwhile. */
  later(
    location: string,
    offset: number,
    length: number,
  ): { readonly range: StoredRange; read(): Uint8Array; chunks(): Iterable<Uint8Array> } {
    const file = this.taken(location, offset, length);
    return {
      range: { path: file.path, offset, length },
      read: () => {
        const descriptor = this.reopened(file, location);
        try {
          return this.bytesOf(descriptor, location, offset, length);
        } finally {
          closeSync(descriptor);
        }
      },
      chunks: () => this.chunksOf(file, location, offset, length),
    };
  }

  private *chunksOf(file: DataFile, location: string, offset: number, length: number): Generator<Uint8Array> {
    const descriptor = this.reopened(file, location);
    const buffer = new Uint8Array(Math.min(length, CHUNK_BYTES));
    try {
      for (let done = 0; done < length; ) {
        const count = readSync(descriptor, buffer, 0, Math.min(buffer.length, length - done), offset + done);
        if (count === 0) throw this.error(location, 'the file became shorter while it was read');
        yield buffer.subarray(0, count);
        done += count;
      }
    } finally {
      closeSync(descriptor);
    }
  }

  private reopened({ path, size, changed }: DataFile, location: string): number {
    const descriptor = this.descriptorOf(path, location);
    const now = fstatSync(descriptor);
    if (now.size === size && now.mtimeMs === changed) return descriptor;
    closeSync(descriptor);
    throw this.error(location, 'the file was changed since the model was opened');
  }

  /** Checks a range against its file, and counts it. */
  private taken(location: string, offset: number, length: number): DataFile {
    const file = this.files.get(location) ?? this.open(location);
    if (offset + length > file.size) {
      const start = this.bytesOf(file.descriptor, location, 0, Math.min(file.size, 64));
      throw this.error(
        location,
        isLfsPointer(new TextDecoder().decode(start))
          ? `the data file is ${LFS_POINTER}`
          : `the model wants bytes ${offset} to ${offset + length} of a file of ${file.size} bytes`,
      );
    }
    file.read += length;
    if (file.read > file.size * MAX_READS_OF_A_BYTE) {
      throw this.error(location, 'too many tensors share the same bytes of the file');
    }
    return file;
  }

  private bytesOf(descriptor: number, location: string, offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      // One call reads less than 2 GiB.
      const count = readSync(descriptor, bytes, done, Math.min(length - done, 2 ** 30), offset + done);
      if (count === 0) throw this.error(location, 'the file became shorter while it was read');
      done += count;
    }
    return bytes;
  }

  close(): void {
    for (const { descriptor } of this.files.values()) closeSync(descriptor);
    this.files.clear();
  }

  private open(location: string): DataFile {
    const path = this.locate(location);
    const descriptor = this.descriptorOf(path, location);
    const { size, mtimeMs } = fstatSync(descriptor);
    const file = { path, descriptor, size, changed: mtimeMs, read: 0 };
    this.files.set(location, file);
    return file;
  }

  private descriptorOf(path: string, location: string): number {
    try {
      return openRegularFile(path, constants.O_NOFOLLOW ?? 0);
    } catch (cause) {
      throw this.error(location, `the data file cannot be read: ${(cause as Error).message}`, cause);
    }
  }

  private locate(location: string): string {
    const parts = location.split(/[\\/]/);
    if (
      isAbsolute(location) ||
      /^[a-z]:/i.test(location) ||
      parts.includes('..') ||
      location.includes('\0')
    ) {
      throw this.error(location, 'data has to lie in the folder of the model');
    }
    const folder = dirname(resolve(this.modelPath));
    let path: string;
    try {
      path = realpathSync(resolve(folder, location));
    } catch (cause) {
      throw this.error(location, 'the data file is missing', cause);
    }
    // Hub caches keep a model and its data as links to files in one folder of blobs: that folder is its own, too.
    const own = [realpathSync(folder), dirname(realpathSync(this.modelPath))];
    if (!own.some((root) => path.startsWith(root.endsWith(sep) ? root : root + sep))) {
      throw this.error(location, 'the data file is a link out of the folder of the model');
    }
    return path;
  }

  private error(location: string, message: string, cause?: unknown): LimbeckError {
    return new LimbeckError('model.external-data', message, {
      where: `data file '${location}'`,
      remedy: 'Fetch the model again with all its files, into one folder.',
      cause,
    });
  }
}
