import { createHash } from 'node:crypto';
import fs from 'node:fs';

/** The SHA-256 of a file, in hex. */
export function hashFile(path: string): string {
  const descriptor = fs.openSync(path, 'r');
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
