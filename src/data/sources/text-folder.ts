import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { readRegularFileAsync } from '../../regular-file.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { SourceRow, SplitName } from '../sample.ts';
import { splitNamed } from './fields.ts';
import { defineSource } from './source.ts';

const LARGEST_FILE = 10 << 20;

const options = z
  .strictObject({
    path: z.string().min(1).describe('A folder with a subfolder of text files for each class.'),
    extension: z.string().default('.txt').describe("The end of the text files' names; '' takes all files."),
  })
  .meta({
    title: 'Folder of texts',
    description: 'class/file.txt, or train/class/file.txt and so on where the texts are split already.',
  });

export const textFolder = defineSource({
  kind: 'text-folder',
  options,
  async open({ path, extension }, context) {
    const folder = context.resolvePath(path);
    const classes = await classFolders(folder);
    return {
      title: `${basename(folder)}/`,
      fingerprint: async () => {
        const files = createHash('sha256');
        for await (const file of textFiles(folder, classes, extension)) {
          const { size, mtimeMs } = await stat(file.path);
          files.update(`${canonicalJson([file.id, size, mtimeMs])}\n`);
        }
        return canonicalJson({ kind: 'text-folder', extension, files: files.digest('hex') });
      },
      async *rows(signal) {
        for await (const file of textFiles(folder, classes, extension)) {
          signal?.throwIfAborted();
          yield readText(file);
        }
      },
    };
  },
});

interface ClassFolder {
  label: string;
  /** Relative to the data set's folder. */
  path: string;
  split?: SplitName;
}

interface TextFile extends ClassFolder {
  id: string;
}

/** Subfolders are classes; where all of them are named like splits, their subfolders are. */
async function classFolders(folder: string): Promise<ClassFolder[]> {
  const names = await subfolders(folder);
  if (names.length === 0) {
    throw new LimbeckError('data.wrong-format', 'there are no subfolders', {
      where: folder,
      remedy: 'Put the texts of each class into a subfolder with the name of the class.',
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

async function subfolders(folder: string): Promise<string[]> {
  const entries = await list(folder);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function* textFiles(root: string, classes: ClassFolder[], extension: string): AsyncGenerator<TextFile> {
  for (const one of classes) {
    for (const entry of await list(join(root, one.path))) {
      if (!entry.isFile() || !entry.name.endsWith(extension)) continue;
      const id = join(one.path, entry.name);
      yield { ...one, id, path: join(root, id) };
    }
  }
}

/** In the order of names, the same on every machine; hidden entries are left out. */
async function list(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter(({ name }) => !name.startsWith('.'))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  } catch (cause) {
    throw new LimbeckError('data.missing', `the folder cannot be read: ${(cause as Error).message}`, {
      where: folder,
      remedy: 'Correct data.source.path; paths are relative to the folder of the recipe.',
      cause,
    });
  }
}

async function readText({ id, path, label, split }: TextFile): Promise<SourceRow> {
  const { size } = await stat(path);
  if (size > LARGEST_FILE) return { broken: { where: id, problem: `larger than ${LARGEST_FILE} bytes` } };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readRegularFileAsync(path));
  } catch {
    return { broken: { where: id, problem: 'not UTF-8 text' } };
  }
  if (text.trim() === '') return { broken: { where: id, problem: 'the file is empty' } };
  return { sample: { id, group: id, text, label, ...(split && { split }) } };
}
