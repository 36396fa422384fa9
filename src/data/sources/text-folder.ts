import { z } from 'zod';
import { LimbeckError } from '../../errors.ts';
import { readdir, stat } from '../../platform/async-files.ts';
import type { FolderEntry } from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import { basename, join } from '../../platform/paths.ts';
import { readRegularFileAsync } from '../../regular-file.ts';
import { canonicalJson } from '../canonical-json.ts';
import { hashFile } from '../hash-file.ts';
import type { BrokenReason, SourceRow, SplitName } from '../sample.ts';
import {
  byteOrderMark,
  canonicalEncoding,
  decoderOf,
  encodingOption,
  looksLikeUtf16,
  suggestEncoding,
} from '../text-files/encoding.ts';
import { notOfEncoding } from '../text-files/text-lines.ts';
import { splitNamed } from './fields.ts';
import { defineSource } from './source.ts';

const LARGEST_FILE = 10 << 20;

const options = z
  .strictObject({
    path: z.string().min(1).describe('A folder with a subfolder of text files for each class.'),
    extension: z.string().default('.txt').describe("The end of the text files' names; '' takes all files."),
    encoding: encodingOption,
  })
  .meta({
    title: 'Folder of texts',
    description: 'class/file.txt, or train/class/file.txt and so on where the texts are split already.',
  });

export const textFolder = defineSource({
  kind: 'text-folder',
  gives: 'text',
  options,
  async open({ path, extension, encoding }, context) {
    const folder = context.resolvePath(path);
    const classes = await classFolders(folder);
    return {
      title: `${basename(folder)}/`,
      fingerprint: async () => {
        const files = createSha256();
        for await (const file of textFiles(folder, classes, extension)) {
          files.update(`${canonicalJson([file.name, contentOf(file)])}\n`);
        }
        const digest = files.digest('hex');
        return canonicalJson({
          kind: 'text-folder',
          extension,
          ...(encoding && { encoding }),
          files: digest,
        });
      },
      async *rows(signal) {
        for await (const file of textFiles(folder, classes, extension)) {
          signal?.throwIfAborted();
          yield readText(file, encoding);
        }
      },
    };
  },
});

/** A hash of what a file holds; one that cannot be read is told with the rows. */
function contentOf({ path }: TextFile): string {
  try {
    return hashFile(path);
  } catch {
    return 'unreadable';
  }
}

interface ClassFolder {
  label: string;
  /** Relative to the data set's folder. */
  path: string;
  split?: SplitName;
}

interface TextFile extends ClassFolder {
  /** Relative to the data set's folder. */
  name: string;
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
      const name = join(one.path, entry.name);
      yield { ...one, name, path: join(root, name) };
    }
  }
}

/** In the order of names, the same on every machine; hidden entries are left out. */
async function list(folder: string): Promise<FolderEntry[]> {
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

async function readText({ name, path, label, split }: TextFile, told?: string): Promise<SourceRow> {
  const broken = (reason: BrokenReason, problem: string) => ({ broken: { where: name, problem, reason } });
  let bytes: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > LARGEST_FILE) return broken('too-long', `larger than ${LARGEST_FILE >> 20} MB`);
    bytes = await readRegularFileAsync(path);
  } catch (error) {
    return broken('other', `the file cannot be read: ${(error as Error).message}`);
  }
  const mark = byteOrderMark(bytes);
  const encoding = mark?.encoding ?? canonicalEncoding(told ?? 'utf-8');
  const text = decoderOf(encoding)(bytes.subarray(mark?.bytes ?? 0));
  if (text === undefined || (text.includes('\0') && looksLikeUtf16(bytes))) {
    return broken('encoding', notOfEncoding(encoding, suggestEncoding(bytes)));
  }
  if (text.trim() === '') return broken('text', 'the file is empty');
  return { sample: { where: name, ...(split && { split }), values: { text, label } } };
}
