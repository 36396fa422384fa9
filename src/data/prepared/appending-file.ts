import { LimbeckError } from '../../errors.ts';
import * as fs from '../../platform/files.ts';
import { createSha256, type Hash } from '../../platform/hash.ts';
import { whyNotWritten } from '../../writable-folder.ts';

/** A file that is written from front to end through one buffer, and hashed on the way. */
export class AppendingFile {
  readonly path: string;
  readonly #descriptor: number;
  readonly #buffer: Uint8Array;
  readonly #hash: Hash = createSha256();
  #used = 0;
  #written = 0;
  #open = true;

  /** Throws LimbeckError `data.disk-full` or `data.unwritable`, as `append` and `finish` do. */
  constructor(path: string, bufferBytes = 1 << 18) {
    this.path = path;
    this.#buffer = new Uint8Array(bufferBytes);
    this.#descriptor = guardWrite(path, () => fs.openSync(path, 'wx'));
  }

  /** Bytes appended so far: where the next ones will lie. */
  get length(): number {
    return this.#written + this.#used;
  }

  append(bytes: Uint8Array): void {
    if (this.#used + bytes.length > this.#buffer.length) this.#flush();
    if (bytes.length > this.#buffer.length) {
      this.#write(bytes);
      return;
    }
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Writes what is left and closes. */
  finish(): { bytes: number; sha256: string } {
    this.#flush();
    guardWrite(this.path, () => fs.fsyncSync(this.#descriptor));
    this.close();
    return { bytes: this.#written, sha256: this.#hash.digest('hex') };
  }

  /** Closes without writing what is left; harmless after `finish`. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    fs.closeSync(this.#descriptor);
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#write(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  #write(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    for (let at = 0; at < bytes.length; ) {
      const from = at;
      at += guardWrite(this.path, () => fs.writeSync(this.#descriptor, bytes, from, bytes.length - from));
    }
    this.#written += bytes.length;
  }
}

/** Turns what a file system says about a write into an error for the person. */
export function guardWrite<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new LimbeckError('data.disk-full', 'the disk is full', {
        where: path,
        remedy: 'Free some space, or set another folder for the cache; then run the same command again.',
        cause,
      });
    }
    throw new LimbeckError('data.unwritable', `the file cannot be written: ${whyNotWritten(path, cause)}`, {
      where: path,
      remedy: 'Check that the folder exists and that you may write to it.',
      cause,
    });
  }
}

/** `guardWrite` for a write that is awaited. */
export async function guardWriteAsync<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    return guardWrite(path, () => {
      throw cause;
    });
  }
}
