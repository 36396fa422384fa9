import { basename } from '../../platform/paths.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { DataSource } from '../sample.ts';
import { classFiles, classFolders, hashClassFiles } from './class-folders.ts';

/** Files of one modality, in subfolders that are their classes. */
export interface FolderOfFiles {
  /** Of the source. */
  readonly kind: string;
  /** The column that holds a file's path; the class is in `label`. */
  readonly column: string;
  /** For people, in the plural: `images`. */
  readonly unit: string;
  /** Ends of the names of files, with their dots, in lower case; others are ignored. */
  readonly endings: readonly string[];
  /** Endings of files of the modality that cannot be read: they are told of. */
  readonly unread: readonly string[];
}

/** Opens a folder with a subfolder of files for each class. @throws LimbeckError `data.wrong-format`, `data.missing` */
export async function openFolderOfFiles(
  folder: string,
  { kind, column, unit, endings, unread }: FolderOfFiles,
): Promise<DataSource> {
  const classes = await classFolders(folder, unit);
  const isOne = (name: string) => endsWithAny(name, endings);
  return {
    title: `${basename(folder)}/`,
    fingerprint: async () => canonicalJson({ kind, files: await hashClassFiles(folder, classes, isOne) }),
    async *rows(signal) {
      const ignored: string[] = [];
      let found = 0;
      const concerns = (name: string) => isOne(name) || endsWithAny(name, unread);
      for await (const { name, label, split } of classFiles(folder, classes, concerns)) {
        signal?.throwIfAborted();
        if (!isOne(name)) {
          ignored.push(name);
          continue;
        }
        found++;
        yield {
          sample: { where: name, folder, ...(split && { split }), values: { [column]: name, label } },
        };
      }
      if (ignored.length > 0)
        yield { note: { kind: 'ignored', message: ignoredFiles(ignored, unit, endings) } };
      // A part of its own, which pages do not load at their start.
      const { strayFiles, strayNotes } = await import('./stray-files.ts');
      yield* strayNotes(strayFiles(folder, classes, isOne), { folder, unit, found });
    },
  };
}

function endsWithAny(name: string, endings: readonly string[]): boolean {
  const lower = name.toLowerCase();
  return endings.some((ending) => lower.endsWith(ending));
}

function ignoredFiles(names: readonly string[], unit: string, endings: readonly string[]): string {
  const [first] = names;
  const counted =
    names.length === 1 ? `${first} was ignored` : `${names.length} files were ignored (the first: ${first})`;
  return `${counted}: ${unit} end in ${endings.join(', ')}`;
}
