import * as fs from '../../platform/files.ts';

/** Reads `bytes` bytes at a position of an open file, however many calls that takes. Throws where the file ends before. */
export function readFully(
  descriptor: number,
  into: Uint8Array,
  offset: number,
  bytes: number,
  position: number,
  path: string,
): void {
  for (let done = 0; done < bytes; ) {
    const read = fs.readSync(descriptor, into, offset + done, bytes - done, position + done);
    if (read === 0) throw new Error(`${path} ends before byte ${position + bytes}`);
    done += read;
  }
}
