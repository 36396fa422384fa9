import { z } from 'zod';
import { stat } from '../../platform/async-files.ts';
import { basename } from '../../platform/paths.ts';
import { readRegularFileAsync } from '../../regular-file.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { BrokenReason, SourceRow } from '../sample.ts';
import {
  byteOrderMark,
  canonicalEncoding,
  decoderOf,
  encodingOption,
  isBinary,
  isUtf32,
  looksLikeUtf16,
  suggestEncoding,
  UTF_32,
} from '../text-files/encoding.ts';
import { RECIPE_REMEDIES } from '../text-files/file-remedies.ts';
import { notOfEncoding } from '../text-files/text-lines.ts';
import { type ClassFile, classFiles, classFolders, hashClassFiles } from './class-folders.ts';
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
    const classes = await classFolders(folder, 'texts');
    const isText = (name: string) => name.endsWith(extension);
    return {
      title: `${basename(folder)}/`,
      fingerprint: async () =>
        canonicalJson({
          kind: 'text-folder',
          extension,
          ...(encoding && { encoding }),
          files: await hashClassFiles(folder, classes, isText),
        }),
      async *rows(signal) {
        let found = 0;
        for await (const file of classFiles(folder, classes, isText)) {
          signal?.throwIfAborted();
          found++;
          yield readText(file, encoding);
        }
        // A part of its own, which pages do not load at their start.
        const { strayFiles, strayNotes } = await import('./stray-files.ts');
        yield* strayNotes(strayFiles(folder, classes, isText), { folder, unit: 'texts', found });
      },
    };
  },
});

async function readText({ name, path, label, split }: ClassFile, told?: string): Promise<SourceRow> {
  const broken = (reason: BrokenReason, problem: string) => ({ broken: { where: name, problem, reason } });
  let bytes: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > LARGEST_FILE) return broken('too-long', `larger than ${LARGEST_FILE >> 20} MB`);
    bytes = await readRegularFileAsync(path);
  } catch (error) {
    return broken('other', `the file cannot be read: ${(error as Error).message}`);
  }
  if (isUtf32(bytes)) return broken('encoding', `${UTF_32}: iconv -f utf-32 -t utf-8 makes it UTF-8`);
  const mark = byteOrderMark(bytes);
  const encoding = mark?.encoding ?? canonicalEncoding(told ?? 'utf-8');
  const text = decoderOf(encoding)(bytes.subarray(mark?.bytes ?? 0));
  if (text === undefined && isBinary(bytes) && !looksLikeUtf16(bytes)) {
    return broken('encoding', 'the file is binary, not text');
  }
  if (text === undefined || (text.includes('\0') && looksLikeUtf16(bytes))) {
    return broken('encoding', notOfEncoding(encoding, await suggestEncoding(bytes), RECIPE_REMEDIES));
  }
  if (text.trim() === '') return broken('text', 'the file is empty');
  return { sample: { where: name, ...(split && { split }), values: { text, label } } };
}
