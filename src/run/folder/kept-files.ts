import { hashFile } from '../../data/hash-file.ts';
import { LimbeckError } from '../../errors.ts';
import { existsSync, readdirSync, statSync } from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';

/** What is remembered of a file when it is written, to see later whether it is still the same. */
export interface KeptFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** The files of a run that are read again, by their path in its folder, with slashes. */
export type KeptFiles = Readonly<Record<string, KeptFile>>;

/** The part of a model that lies in a second file, where it does. */
const dataOf = (name: string) => `${name}_data`;

/** The records of files in a folder; of models with a second file, of both. */
export function keptFiles(folder: string, names: readonly string[]): KeptFiles {
  const all = names.flatMap((name) =>
    existsSync(join(folder, dataOf(name))) ? [name, dataOf(name)] : [name],
  );
  return Object.fromEntries(
    all.map((name) => {
      const path = join(folder, name);
      return [name, { bytes: statSync(path).size, sha256: hashFile(path) }];
    }),
  );
}

/** The records of all that lies in a part of a folder, but for pages that people may write on. */
export function keptFolder(folder: string, part: string): KeptFiles {
  const names = readdirSync(join(folder, part), { recursive: true, encoding: 'utf8' })
    .map((name) => `${part}/${name.replaceAll('\\', '/')}`)
    .filter((name) => !name.endsWith('.md') && statSync(join(folder, name)).isFile());
  return keptFiles(folder, names);
}

/**
 * Why a file, or a folder of files, cannot be used as it is: `teacher/model.onnx is damaged`; undefined where all that was kept of
 * it is as it was written. Files that nothing is known of (of earlier versions) have only to be there.
 */
export function keptProblem(folder: string, kept: KeptFiles, name: string): string | undefined {
  if (!existsSync(join(folder, name))) return `${name} is missing`;
  const own = Object.keys(kept).filter(
    (one) => one === name || one === dataOf(name) || one.startsWith(`${name}/`),
  );
  for (const one of own) {
    const path = join(folder, one);
    const { bytes, sha256 } = kept[one] as KeptFile;
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return `${one} is missing`;
    if (!found.isFile() || found.size !== bytes || hashFile(path) !== sha256)
      return `${one} is damaged: it is not as it was written`;
  }
  return undefined;
}

/** Throws LimbeckError `run.damaged` with a remedy, unless a file of a run is as it was written. */
export function requireKept(folder: string, kept: KeptFiles, name: string, remedy: string): void {
  const problem = keptProblem(folder, kept, name);
  if (problem === undefined) return;
  throw new LimbeckError('run.damaged', problem, { where: join(folder, name), remedy });
}
