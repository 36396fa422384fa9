import { stat } from '../../../platform/async-files.ts';
import { readRegularFileAsync } from '../../../regular-file.ts';
import { BrokenValue } from '../../broken-value.ts';

/** Larger files are no single images; they would be read into memory whole. */
const LARGEST_FILE = 128 << 20;

/** The bytes of an image's file. @throws BrokenValue where it is missing, unreadable or too large */
export async function readImageFile(path: string, shown: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > LARGEST_FILE)
      throw new BrokenValue('too-long', `the file ${shown} is larger than ${LARGEST_FILE >> 20} MB`);
    return await readRegularFileAsync(path);
  } catch (error) {
    if (error instanceof BrokenValue) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const problem =
      code === 'ENOENT' ? `there is no file ${shown}` : `the file ${shown} cannot be read: ${message}`;
    throw new BrokenValue('image', problem);
  }
}
