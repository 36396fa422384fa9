import { EXITS_FILE, exitsManifestSchema } from '../../export/exits-manifest.ts';
import { jsonFile, QUANTIZED_FILE } from '../../export/package-folder.ts';
import { textOf } from '../../platform/bytes.ts';
import { existsSync, mkdirSync, renameSync, rmSync } from '../../platform/files.ts';
import { basename, dirname, join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import { replaceFile, writeError } from '../../replace-file.ts';

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
    withoutParts(join(runFolder, 'student'));
  } catch (cause) {
    throw writeError(rejected, cause, 'run');
  }
  return rejected;
}

/** Takes the parts of the int8 file, where it has exits, out of a student's folder. */
function withoutParts(student: string): void {
  const file = join(student, EXITS_FILE);
  if (!existsSync(file)) return;
  const { forms, ...told } = exitsManifestSchema.parse(JSON.parse(readRegularText(file)));
  const { [QUANTIZED_FILE]: parts = [], ...others } = forms;
  for (const part of parts) rmSync(join(student, part.file), { force: true });
  replaceFile(file, textOf(jsonFile(EXITS_FILE, { ...told, forms: others }).bytes), 'run');
}
