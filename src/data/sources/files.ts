import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { stat } from '../../platform/async-files.ts';
import { basename } from '../../platform/paths.ts';
import { canonicalJson } from '../canonical-json.ts';
import { hashFile } from '../hash-file.ts';
import type { DataSource, DeclaredClasses, FieldDeclaration, SourceRow, SplitName } from '../sample.ts';
import { classNamesBeside } from './class-names.ts';
import type { Fields } from './fields.ts';
import type { SourceContext } from './source.ts';

const onePath = z.string().min(1);
const paths = z.union([onePath, z.array(onePath).min(1)]);

/** One file, several, or the files of each split. */
export const pathOption = z
  .union([paths, z.strictObject({ train: paths, validation: paths.optional(), test: paths.optional() })])
  .describe('A file, a list of files, or the files of train, validation and test.');

export type PathOption = z.output<typeof pathOption>;

/** A file of rows, and the split that all of it belongs to. */
export interface RowFile {
  /** Absolute. */
  path: string;
  /** For people. */
  name: string;
  split?: SplitName;
}

/** Reads the rows of one file; throws LimbeckError where the file is not of the format. */
export type RowReader = (file: RowFile, signal?: AbortSignal) => AsyncIterable<SourceRow>;

/** The class names that a file's own metadata declares for a column; undefined for none. */
export type NamesInFile = (file: RowFile, column: string) => Promise<readonly string[] | undefined>;

/** A source over local files of one format. Throws LimbeckError `data.missing` at once for files that are not there. */
export async function openFiles(
  kind: string,
  path: PathOption,
  options: Readonly<Record<string, unknown>>,
  { outputs }: Pick<Fields, 'outputs'>,
  context: SourceContext,
  read: RowReader,
  declaredIn: NamesInFile = async () => undefined,
): Promise<DataSource> {
  const files = listFiles(path, context);
  for (const file of files) await requireFile(file.path);
  const title = files.map(({ name }) => name).join(', ');
  const beside: Record<string, DeclaredClasses> = {};
  for (const { name } of outputs) {
    const declared = await declaredBeside(files, name, context);
    if (declared) beside[name] = declared;
  }
  return {
    title: title.length > 100 ? `${files[0]?.name} and ${files.length - 1} files more` : title,
    // By content: a date says nothing, and a file that was changed may have kept its own.
    fingerprint: async () => {
      const contents = files.map((file) => [file.name, hashFile(file.path)]);
      const names = Object.entries(beside).map(([column, { names }]) => [column, names]);
      return canonicalJson({
        kind,
        contents,
        options: { ...options, path },
        ...(context.columns && { columns: context.columns }),
        ...(names.length > 0 && { classNames: names }),
      });
    },
    async *rows(signal) {
      for (const file of files) yield* read(file, signal);
    },
    declares: () => declaredOf(files, outputs, declaredIn, beside),
  };
}

/** What files declare of their classes: in themselves or, where none does, beside them. */
export async function declaredOf(
  files: readonly RowFile[],
  outputs: Fields['outputs'],
  declaredIn: NamesInFile,
  beside: Readonly<Record<string, DeclaredClasses>>,
): Promise<Record<string, FieldDeclaration>> {
  const declared: Record<string, FieldDeclaration> = {};
  for (const { name: column } of outputs) {
    const inFiles: DeclaredClasses[] = [];
    for (const file of files) {
      const names = await declaredIn(file, column);
      if (names) inFiles.push({ names, where: file.path });
    }
    const classes = sameClasses(inFiles) ?? beside[column];
    if (classes) declared[column] = { classes };
  }
  return declared;
}

/** What the files say beside the first of them, for all: a data set declares its classes once. */
function declaredBeside(files: readonly RowFile[], column: string, context: SourceContext) {
  const allowed = (path: string) => {
    try {
      return context.resolvePath(path) === path;
    } catch {
      return false;
    }
  };
  const [first] = files;
  return first ? classNamesBeside(first.path, column, allowed) : Promise.resolve(undefined);
}

/** One declaration of several equal ones. @throws LimbeckError `data.class-names` */
export function sameClasses(declared: readonly DeclaredClasses[]): DeclaredClasses | undefined {
  const [first] = declared;
  const other = declared.find(({ names }) => canonicalJson(names) !== canonicalJson(first?.names));
  if (!first || !other) return first;
  const list = ({ names, where }: DeclaredClasses) => `${where}: ${names.join(', ')}`;
  throw new LimbeckError('data.class-names', 'the files of the data set number its classes differently', {
    where: `${list(first)}; ${list(other)}`,
    remedy: 'Write the files again with the same ClassLabel feature, or read them as data sets of their own.',
  });
}

function listFiles(path: PathOption, context: SourceContext): RowFile[] {
  const list = (value: string | string[], split?: SplitName): RowFile[] =>
    [value].flat().map((one) => ({
      path: context.resolvePath(one),
      name: basename(one),
      ...(split && { split }),
    }));
  if (typeof path === 'string' || Array.isArray(path)) return distinctNames(list(path), path);
  return distinctNames(
    (['train', 'validation', 'test'] as const).flatMap((split) => {
      const value = path[split];
      return value === undefined ? [] : list(value, split);
    }),
    Object.values(path).flat(),
  );
}

/** Rows are told by their file's name; where two files have the same, its whole path as given stands for it. */
function distinctNames(files: RowFile[], given: string | string[]): RowFile[] {
  if (new Set(files.map(({ name }) => name)).size === files.length) return files;
  const whole = [given].flat();
  return files.map((file, i) => ({ ...file, name: whole[i] as string }));
}

async function requireFile(path: string): Promise<void> {
  try {
    if ((await stat(path)).isFile()) return;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new LimbeckError('data.unreadable', `the file cannot be read: ${(cause as Error).message}`, {
        where: path,
        cause,
      });
    }
    throw new LimbeckError('data.missing', 'there is no such file', {
      where: path,
      remedy: 'Correct data.source.path; paths are relative to the folder of the recipe.',
      cause,
    });
  }
  throw new LimbeckError('data.missing', 'this is not a file', {
    where: path,
    remedy: 'Name a file; for a folder of texts use kind: text-folder.',
  });
}
