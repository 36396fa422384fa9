import { closeSync, fstatSync, readSync } from '../../../platform/files.ts';
import { openRegularFile } from '../../../regular-file.ts';
import type { ByteReader } from './wav.ts';

/** Reads bytes that are in memory. */
export function bytesReader(bytes: Uint8Array): ByteReader {
  return {
    size: bytes.byteLength,
    read: (offset, length) => bytes.subarray(Math.min(offset, bytes.byteLength), offset + length),
    close: () => {},
  };
}

/** Opens a file to read parts of it. @throws NotAFileError; Node's own errors, with their codes */
export function openByteReader(path: string): ByteReader {
  const descriptor = openRegularFile(path);
  return {
    size: fstatSync(descriptor).size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const count = readSync(descriptor, bytes, filled, length - filled, offset + filled);
        if (count === 0) break;
        filled += count;
      }
      return bytes.subarray(0, filled);
    },
    close: () => closeSync(descriptor),
  };
}
