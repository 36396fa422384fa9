import { QUANTIZED_FILE } from '../../export/package-folder.ts';
import { existsSync, mkdirSync, renameSync } from '../../platform/files.ts';
import { basename, dirname, join } from '../../platform/paths.ts';
import { writeError } from '../../replace-file.ts';

/** The folder in a run for what was made and must not ship. */
export const REJECTED = 'rejected';

/**
 * Takes the int8 file out of the folder that ships: it stays in the run, under `rejected/`, to be looked at. Gives the path
 * where it is now; does nothing where it is there already. Throws LimbeckError `run.write`.
 */
export function rejectInt8(runFolder: string): string {
  const rejected = join(runFolder, REJECTED, basename(QUANTIZED_FILE));
  const shipped = join(runFolder, 'student', QUANTIZED_FILE);
  if (!existsSync(shipped)) return rejected;
  try {
    mkdirSync(dirname(rejected), { recursive: true });
    renameSync(shipped, rejected);
  } catch (cause) {
    throw writeError(rejected, cause, 'run');
  }
  return rejected;
}
