import { LimbeckError } from '../errors.ts';
import { existsSync } from '../platform/files.ts';
import { freeBytes } from '../platform/machine.ts';
import { dirname, resolve } from '../platform/paths.ts';
import { sizeInWords } from '../size-in-bytes.ts';

/**
 * Refuses what a disk has no room for, before it is begun. Where nobody tells what is free, nothing is refused.
 *
 * @param folder where it will lie; it need not be there yet
 * @param what takes the bytes, for people: `the download of OWNER/NAME`
 * @throws LimbeckError `teacher.disk`
 */
export function requireFreeSpace(
  folder: string,
  bytes: number,
  { what, remedy }: { readonly what: string; readonly remedy: string },
  freeOf = freeBytes,
): void {
  let place = resolve(folder);
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  const free = freeOf(place);
  if (free === undefined || free >= bytes) return;
  throw new LimbeckError(
    'teacher.disk',
    `${sizeInWords(bytes)} are needed for ${what}, ${sizeInWords(free)} are free`,
    { where: folder, remedy },
  );
}
