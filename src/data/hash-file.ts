import { createSha256 } from '../platform/hash.ts';
import { readChunks } from '../regular-file.ts';

/** The SHA-256 of a file, in hex. */
export function hashFile(path: string): string {
  const hash = createSha256();
  for (const chunk of readChunks(path)) hash.update(chunk);
  return hash.digest('hex');
}
