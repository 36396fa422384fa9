import { LimbeckError } from '../../errors.ts';
import { existsSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';
import { REJECTED_STUDENT } from './rejected-student.ts';

/**
 * Asserts that a run has a student that ships.
 *
 * @param file one of its files, for the error
 * @throws LimbeckError `export.kept-back` where a gate set it aside, `export.missing` where the run has not come so far
 */
export function requireStudent(runFolder: string, file: string): void {
  if (existsSync(file)) return;
  const rejected = join(runFolder, REJECTED_STUDENT);
  if (existsSync(rejected)) {
    throw new LimbeckError(
      'export.kept-back',
      "the run's student exceeds a bound of export.gate: it does not ship",
      {
        where: rejected,
        remedy: 'Name that folder to measure the student where it is.',
      },
    );
  }
  throw new LimbeckError('export.missing', 'the run has no student yet', {
    where: file,
    remedy: 'Let the run finish: `limbeck distill` with its recipe and folder.',
  });
}
