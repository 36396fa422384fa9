import { existsSync, mkdirSync, renameSync, rmSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';
import { writeError } from '../../replace-file.ts';
import { REJECTED } from './rejected-files.ts';

/** Where the whole of a student lies that must not ship, in a run's folder. */
export const REJECTED_STUDENT = `${REJECTED}/student`;

/**
 * Takes the student's folder out of the place of what ships: it stays in the run, under `rejected/`, to be looked at. Gives the
 * path where it is now; does nothing where it is there already. Throws LimbeckError `run.write`.
 */
export function rejectStudent(runFolder: string): string {
  const rejected = join(runFolder, REJECTED_STUDENT);
  const shipped = join(runFolder, 'student');
  if (!existsSync(shipped)) return rejected;
  try {
    mkdirSync(join(runFolder, REJECTED), { recursive: true });
    // That of an earlier part of the run.
    rmSync(rejected, { recursive: true, force: true });
    renameSync(shipped, rejected);
  } catch (cause) {
    throw writeError(rejected, cause, 'run');
  }
  return rejected;
}
