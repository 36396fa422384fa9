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
}

/** Opens a folder with a subfolder of files for each class. @throws LimbeckError `data.wrong-format`, `data.missing` */
export async function openFolderOfFiles(
  folder: string,
  { kind, column, unit, endings }: FolderOfFiles,
): Promise<DataSource> {
  const classes = await classFolders(folder, unit);
  const isOne = (name: string) => endings.some((ending) => name.toLowerCase().endsWith(ending));
  return {
    title: `${basename(folder)}/`,
    fingerprint: async () => canonicalJson({ kind, files: await hashClassFiles(folder, classes, isOne) }),
    async *rows(signal) {
      for await (const { name, label, split } of classFiles(folder, classes, isOne)) {
        signal?.throwIfAborted();
        yield {
          sample: { where: name, folder, ...(split && { split }), values: { [column]: name, label } },
        };
      }
    },
  };
}
