import { existsSync, type Stats, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, posix, relative, sep } from 'node:path';
import { z } from 'zod';
import { readRegularText } from '../../regular-file.ts';
import { formatCount, plainLine } from '../progress/format.ts';
import { boxSettings } from './box-settings.ts';
import type { Proposal } from './proposal.ts';

/** Larger files are not looked into. */
const MOST_BYTES = 200e6;
/** Files of a folder that are looked into, and folders that images are looked for in. */
const MOST_FILES = 12;
const MOST_FOLDERS = 100;
const SHOWN_CLASSES = 8;

const schema = z.looseObject({
  images: z.array(
    z.looseObject({ file_name: z.unknown().optional(), width: z.unknown(), height: z.unknown() }),
  ),
  annotations: z.array(z.unknown()),
  categories: z.array(z.looseObject({ name: z.unknown().optional() })),
});

/** A file of annotations: its path within what was named, and the folder with its images where one was found. */
interface Annotations extends z.output<typeof schema> {
  readonly file: string;
  readonly folder: string | undefined;
}

const SPLITS = [
  { split: 'validation', name: /(^|[^a-z])val(id|idation)?([^a-z]|$)/i },
  { split: 'test', name: /(^|[^a-z])test([^a-z]|$)/i },
] as const;

/**
 * What a file proposes that lists images and boxes as COCO does, or a folder with such files: for training, and perhaps for
 * validation and test by their names; undefined for anything else.
 *
 * @param written the path as the recipe is to have it
 */
export async function proposeCoco(path: string, written: string): Promise<Proposal | undefined> {
  const status = statSync(path, { throwIfNoEntry: false });
  const files = status?.isDirectory() ? await jsonFiles(path) : [path];
  const found: Annotations[] = [];
  for (const file of files) {
    const annotations = await readAnnotations(file);
    if (annotations) found.push(annotations);
  }
  const parts = SPLITS.flatMap(({ split, name }) => {
    const one = found.find(({ file }) => name.test(relative(path, file)));
    return one && found.length > 1 ? [{ split, one }] : [];
  });
  const train = found.find((one) => !parts.some((part) => part.one === one));
  if (!train) return undefined;
  const asWritten = (absolute: string) => {
    const inside = relative(path, absolute).split(sep).join('/');
    return posix.normalize(inside === '' ? written : posix.join(written, inside));
  };
  const partOf = ({ file, folder }: Annotations) => ({
    annotations: asWritten(file),
    ...(folder !== undefined && folder !== dirname(file) && { images: asWritten(folder) }),
  });
  const held = Object.fromEntries(parts.map(({ split, one }) => [split, partOf(one)]));
  const sides = train.images
    .map(({ width, height }) => Math.min(Number(width), Number(height)))
    .filter(Number.isFinite);
  const names = train.categories.map(({ name }) => plainLine(`${name}`));
  return {
    source: { kind: 'coco', ...partOf(train), ...held },
    ...boxSettings('image', 'boxes', sides),
    seen: [
      `images with boxes, as COCO lists them: ${formatCount(train.images.length)} images, ${formatCount(train.annotations.length)} boxes`,
      ...parts.map(
        ({ split, one }) => `${split}: ${asWritten(one.file)}, ${formatCount(one.images.length)} images`,
      ),
      `classes: ${names.slice(0, SHOWN_CLASSES).join(', ')}${names.length > SHOWN_CLASSES ? ` and ${names.length - SHOWN_CLASSES} more` : ''}`,
      train.folder === undefined
        ? `its images (${plainLine(`${train.images[0]?.file_name}`)} ...) were not found beside it: set data.source.images to their folder`
        : `images in ${asWritten(train.folder)}`,
    ],
  };
}

/** JSON files of a folder and of its folders. */
async function jsonFiles(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).slice(0, MOST_FOLDERS);
  const inside = await Promise.all(
    folders.map(async ({ name }) => (await readdir(join(path, name))).map((file) => join(path, name, file))),
  );
  return [...entries.filter((entry) => entry.isFile()).map(({ name }) => join(path, name)), ...inside.flat()]
    .filter((file) => file.toLowerCase().endsWith('.json'))
    .sort()
    .slice(0, MOST_FILES);
}

async function readAnnotations(file: string): Promise<Annotations | undefined> {
  const status: Stats | undefined = statSync(file, { throwIfNoEntry: false });
  if (!file.toLowerCase().endsWith('.json') || !status?.isFile() || status.size > MOST_BYTES)
    return undefined;
  try {
    const { success, data } = schema.safeParse(JSON.parse(readRegularText(file)));
    return success ? { ...data, file, folder: await imagesOf(file, data.images[0]?.file_name) } : undefined;
  } catch {
    return undefined;
  }
}

/** The folder that an image lies in: that of the annotations, one inside of it, or one beside it; the likeliest by its name first. */
async function imagesOf(annotations: string, image: unknown): Promise<string | undefined> {
  if (typeof image !== 'string') return undefined;
  const own = dirname(annotations);
  const folders = [own];
  for (const around of [own, dirname(own)]) {
    const entries = await readdir(around, { withFileTypes: true }).catch(() => []);
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const stem = basename(annotations).toLowerCase();
    names.sort((a, b) => Number(stem.includes(b.toLowerCase())) - Number(stem.includes(a.toLowerCase())));
    folders.push(around, ...names.slice(0, MOST_FOLDERS).map((name) => join(around, name)));
  }
  return folders.find((folder) => existsSync(join(folder, image)));
}
