import * as fs from '../platform/files.ts';
import { createSha256 } from '../platform/hash.ts';
import { openRegularFile } from '../regular-file.ts';

/** The SHA-256 of a file, in hex. */
export function hashFile(path: string): string {
  const descriptor = openRegularFile(path);
  try {
    const hash = createSha256();
    const buffer = new Uint8Array(1 << 18);
    for (let read = -1; read !== 0; ) {
      read = fs.readSync(descriptor, buffer);
      hash.update(buffer.subarray(0, read));
    }
    return hash.digest('hex');
  } finally {
    fs.closeSync(descriptor);
  }
}
