import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { requireFile } from './regular-file.ts';

/** `openRegularFile` for a file that is read here and there without holding up this thread. */
export async function openFileHandle(path: string): Promise<FileHandle> {
  requireFile(path, await stat(path));
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    requireFile(path, await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
