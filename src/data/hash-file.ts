import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { openRegularFile } from '../regular-file.ts';

/** The SHA-256 of a file, in hex. */
export function hashFile(path: string): string {
  const descriptor = openRegularFile(path);
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.alloc(1 << 18);
    for (let read = -1; read !== 0; ) {
      read = fs.readSync(descriptor, buffer);
      hash.update(buffer.subarray(0, read));
    }
    return hash.digest('hex');
  } finally {
    fs.closeSync(descriptor);
  }
}
