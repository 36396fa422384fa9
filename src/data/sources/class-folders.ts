import { LimbeckError } from '../../errors.ts';
import { readdir } from '../../platform/async-files.ts';
import type { FolderEntry } from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import { dirname, join } from '../../platform/paths.ts';
import { canonicalJson } from '../canonical-json.ts';
import { hashFile } from '../hash-file.ts';
import type { SourceRow, SplitName } from '../sample.ts';
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
    for (const entry of await list(join(root, one.path))) {
      if (!entry.isFile() || !isOne(entry.name)) continue;
      const name = join(one.path, entry.name);
      yield { ...one, name, path: join(root, name) };
    }
  }
}

/** Folders within that of a class in which stray files are looked for. */
const DEEPEST = 3;

/** What lies in a data set's folder and is not read, though its name is that of a file to read. Paths are relative to the folder. */
export interface StrayFiles {
  /** Symbolic links, which may lead anywhere. */
  readonly links: readonly string[];
  /** Files beside the folders of the classes, or in folders within them. */
  readonly misplaced: readonly string[];
}

/** Looks for files that `classFiles` passes over: in the folder itself, among its splits, and in folders within those of classes. */
export async function strayFiles(
  root: string,
  classes: readonly ClassFolder[],
  isOne: (name: string) => boolean,
): Promise<StrayFiles> {
  const [links, misplaced]: [string[], string[]] = [[], []];
  const look = (folder: string, entries: readonly FolderEntry[], areMisplaced: boolean) => {
    for (const entry of entries) {
      const name = join(folder, entry.name);
      // A link without an ending may well be one to a folder.
      if (entry.isSymbolicLink()) {
        if (isOne(entry.name) || !entry.name.includes('.')) links.push(name);
      } else if (areMisplaced && entry.isFile() && isOne(entry.name)) misplaced.push(name);
    }
  };
  const parents = new Set(['', ...classes.flatMap(({ path, split }) => (split ? [dirname(path)] : []))]);
  for (const folder of parents) look(folder, await list(join(root, folder)), true);
  const descend = async (folder: string, depth: number) => {
    const entries = await list(join(root, folder));
    look(folder, entries, depth > 0);
    if (depth === DEEPEST) return;
    for (const entry of entries) if (entry.isDirectory()) await descend(join(folder, entry.name), depth + 1);
  };
  for (const { path } of classes) await descend(path, 0);
  return { links, misplaced };
}

/**
 * Tells of stray files.
 *
 * @param unit for people: `texts`
 * @param found files that were read
 * @throws LimbeckError `data.empty` where all files are stray ones
 */
export async function* strayNotes(
  stray: Promise<StrayFiles>,
  { folder, unit, found }: { readonly folder: string; readonly unit: string; readonly found: number },
): AsyncGenerator<SourceRow> {
  const { links, misplaced } = await stray;
  const counted = (names: readonly string[], what: string, why: string) =>
    names.length === 0 ? [] : [`${names.length} ${what} were ignored (the first: ${names[0]}): ${why}`];
  const messages = [
    ...counted(links, 'symbolic links', 'put the files in their places'),
    ...counted(misplaced, unit, 'they are not directly in the folder of a class'),
  ];
  if (found === 0 && messages.length > 0) {
    throw new LimbeckError(
      'data.empty',
      `the folders of the classes have no ${unit}: ${messages.join('; ')}`,
      {
        where: folder,
        remedy: `Give each class a folder with its ${unit}: CLASS/FILE, or train/CLASS/FILE, test/CLASS/FILE, with no other folder beside.`,
      },
    );
  }
  for (const message of messages) yield { note: { kind: 'ignored', message } };
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
  const entries = await list(folder);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** In the order of names, the same on every machine; hidden entries are left out. */
async function list(folder: string): Promise<FolderEntry[]> {
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
