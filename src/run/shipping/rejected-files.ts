import { EXITS_FILE, exitsManifestSchema } from '../../export/exits-manifest.ts';
import { jsonFile } from '../../export/package-folder.ts';
import { fileOf, type Precision } from '../../export/precisions.ts';
import { textOf } from '../../platform/bytes.ts';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from '../../platform/files.ts';
import { basename, dirname, join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import { replaceFile, writeError } from '../../replace-file.ts';

/** The folder in a run for what was made and must not ship. */
export const REJECTED = 'rejected';

/**
 * Takes the files of a precision out of the folder that ships: they stay in the run, under `rejected/`, to be looked at. Gives
 * the path where the model is now; does nothing where it is there already. Throws LimbeckError `run.write`.
 */
export function rejectFile(runFolder: string, precision: Exclude<Precision, 'f32'>): string {
  const file = fileOf(precision);
  const rejected = join(runFolder, REJECTED, basename(file));
  const student = join(runFolder, 'student');
  if (!existsSync(join(student, file))) return rejected;
  try {
    mkdirSync(dirname(rejected), { recursive: true });
    // Of a dual encoder its towers go as well, and of a very large model the file of its weights.
    const suffix = basename(fileOf(precision, ''));
    const folder = dirname(join(student, file));
    for (const name of readdirSync(folder)) {
      if (name.endsWith(suffix) || name.endsWith(`${suffix}_data`))
        renameSync(join(folder, name), join(runFolder, REJECTED, name));
    }
    withoutParts(student, file);
  } catch (cause) {
    throw writeError(rejected, cause, 'run');
  }
  return rejected;
}

/** Takes the parts of a file, where it has exits, out of a student's folder. */
function withoutParts(student: string, model: string): void {
  const file = join(student, EXITS_FILE);
  if (!existsSync(file)) return;
  const { forms, ...told } = exitsManifestSchema.parse(JSON.parse(readRegularText(file)));
  const { [model]: parts = [], ...others } = forms;
  for (const part of parts) rmSync(join(student, part.file), { force: true });
  replaceFile(file, textOf(jsonFile(EXITS_FILE, { ...told, forms: others }).bytes), 'run');
}
