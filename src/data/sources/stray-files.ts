import { LimbeckError } from '../../errors.ts';
import type { FolderEntry } from '../../platform/files.ts';
import { dirname, join } from '../../platform/paths.ts';
import type { SourceRow } from '../sample.ts';
import { type ClassFolder, entriesOf } from './class-folders.ts';

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
  for (const folder of parents) look(folder, await entriesOf(join(root, folder)), true);
  const descend = async (folder: string, depth: number) => {
    const entries = await entriesOf(join(root, folder));
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
