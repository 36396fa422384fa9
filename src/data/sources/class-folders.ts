import { LimbeckError } from '../../errors.ts';
import { readdir } from '../../platform/async-files.ts';
import type { FolderEntry } from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import { join } from '../../platform/paths.ts';
import { canonicalJson } from '../canonical-json.ts';
import { hashFile } from '../hash-file.ts';
import type { SplitName } from '../sample.ts';
import { splitNamed } from './fields.ts';

/** A folder whose files are of one class. */
export interface ClassFolder {
  readonly label: string;
  /** Relative to the data set's folder. */
  readonly path: string;
  readonly split?: SplitName;
}

export interface ClassFile extends ClassFolder {
  /** Relative to the data set's folder. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/**
 * The subfolders of a data set, which are classes; where all of them are named like splits, their subfolders are.
 *
 * @param unit for people: `texts`
 * @throws LimbeckError `data.wrong-format` for a folder without subfolders, `data.missing` for one that cannot be read
 */
export async function classFolders(folder: string, unit: string): Promise<ClassFolder[]> {
  const names = await subfolders(folder);
  if (names.length === 0) {
    throw new LimbeckError('data.wrong-format', 'there are no subfolders', {
      where: folder,
      remedy: `Put the ${unit} of each class into a subfolder with the name of the class.`,
    });
  }
  if (!names.every((name) => splitNamed(name))) return names.map((label) => ({ label, path: label }));
  const splits = await Promise.all(
    names.map(async (name) =>
      (await subfolders(join(folder, name))).map((label) => ({
        label,
        path: join(name, label),
        split: splitNamed(name) as SplitName,
      })),
    ),
  );
  return splits.flat();
}

/** The files of all classes, in the order of names. @param isOne whether a file of that name is one of them */
export async function* classFiles(
  root: string,
  classes: readonly ClassFolder[],
  isOne: (name: string) => boolean,
): AsyncGenerator<ClassFile> {
  for (const one of classes) {
    for (const entry of await entriesOf(join(root, one.path))) {
      if (!entry.isFile() || !isOne(entry.name)) continue;
      const name = join(one.path, entry.name);
      yield { ...one, name, path: join(root, name) };
    }
  }
}

/** A hash of the files' names and contents. */
export async function hashClassFiles(
  root: string,
  classes: readonly ClassFolder[],
  isOne: (name: string) => boolean,
): Promise<string> {
  const files = createSha256();
  for await (const { name, path } of classFiles(root, classes, isOne))
    files.update(`${canonicalJson([name, contentOf(path)])}\n`);
  return files.digest('hex');
}

/** A hash of what a file holds; one that cannot be read is told with the rows. */
function contentOf(path: string): string {
  try {
    return hashFile(path);
  } catch {
    return 'unreadable';
  }
}

async function subfolders(folder: string): Promise<string[]> {
  const entries = await entriesOf(folder);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** In the order of names, the same on every machine; hidden entries are left out. */
export async function entriesOf(folder: string): Promise<FolderEntry[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter(({ name }) => !name.startsWith('.'))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  } catch (cause) {
    throw new LimbeckError('data.missing', problemOf(cause as NodeJS.ErrnoException), {
      where: folder,
      remedy: 'Correct data.source.path; paths are relative to the folder of the recipe.',
      cause,
    });
  }
}

function problemOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'there is no such folder';
  return code === 'ENOTDIR' ? 'this is not a folder' : `the folder cannot be read: ${message}`;
}
