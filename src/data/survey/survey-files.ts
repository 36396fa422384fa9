import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokenValue } from '../broken-value.ts';
import { decodeAudio } from '../modalities/audio/decode-audio.ts';
import { AUDIO_ENDINGS } from '../modalities/audio/formats.ts';
import { readImageFile } from '../modalities/image/image-file.ts';
import { IMAGE_ENDINGS } from '../modalities/image/image-format.ts';
import { sharpLibrary } from '../modalities/image/sharp-library.ts';

/** What files can hold. */
export type FileModality = 'image' | 'audio';

const ENDINGS: Readonly<Record<FileModality, readonly string[]>> = {
  image: IMAGE_ENDINGS,
  audio: AUDIO_ENDINGS,
};

/** What nearly all of some names promise by their endings; undefined where they do not. */
export function modalityOfFiles(names: readonly string[]): FileModality | undefined {
  return (['image', 'audio'] as const).find((modality) => {
    const ones = names.filter((name) =>
      ENDINGS[modality].some((ending) => name.trim().toLowerCase().endsWith(ending)),
    );
    return ones.length > 0 && ones.length >= 0.9 * names.length;
  });
}

/** What is measured of some files, in the order of their sizes. */
export interface FileSizes {
  /** Of images: their shorter sides in pixels. Of audio: seconds. */
  readonly sizes: readonly number[];
  /** Files that could not be read. */
  readonly broken: number;
}

const MOST_FILES = 24;
const MOST_PIXELS = 50e6;
const MOST_SECONDS = 60;

/** Measures some of the files, evenly chosen. @param paths absolute */
export async function measureFiles(paths: readonly string[], modality: FileModality): Promise<FileSizes> {
  const step = Math.max(1, paths.length / MOST_FILES);
  const sizes: number[] = [];
  let broken = 0;
  for (let at = 0; at < paths.length; at += step) {
    try {
      sizes.push(await sizeOf(paths[Math.floor(at)] as string, modality));
    } catch (error) {
      if (!(error instanceof BrokenValue)) throw error;
      broken++;
    }
  }
  return { sizes: sizes.sort((a, b) => a - b), broken };
}

async function sizeOf(path: string, modality: FileModality): Promise<number> {
  if (modality === 'audio') {
    const { samples, rate } = await decodeAudio({ path }, { seconds: MOST_SECONDS });
    return samples.length / rate;
  }
  const options = { maxPixels: MOST_PIXELS, background: '#ffffff' };
  const { pixels } = await sharpLibrary().decode(await readImageFile(path, path), options);
  return Math.min(pixels.height, pixels.width);
}

const EACH_FOLDER = 8;

/** Some files of a folder of classes, a few of each of its folders, with what they are; undefined for a folder of other files. */
export async function filesOfFolder(
  path: string,
): Promise<{ readonly modality: FileModality; readonly paths: readonly string[] } | undefined> {
  const paths: string[] = [];
  const folders = [path];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    const entries = await readdir(folder, { withFileTypes: true });
    const visible = entries.filter(({ name }) => !name.startsWith('.'));
    for (const entry of visible) if (entry.isDirectory()) folders.push(join(folder, entry.name));
    for (const { name } of visible.filter((entry) => entry.isFile()).slice(0, EACH_FOLDER))
      paths.push(join(folder, name));
    if (paths.length >= MOST_FILES * EACH_FOLDER) break;
  }
  const modality = modalityOfFiles(paths);
  if (!modality) return undefined;
  return { modality, paths: paths.filter((one) => modalityOfFiles([one]) === modality) };
}
