import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { LimbeckError } from '../../errors.ts';
import { readRegularText } from '../../regular-file.ts';
import { AppendingFile, guardWrite } from '../appending-file.ts';
import { canonicalJson } from '../canonical-json.ts';
import { DATASET_SPLITS, type Dataset, type DatasetSplit, type DatasetStatistics } from '../dataset.ts';
import { hashFile } from '../hash-file.ts';
import { LabelSelection } from '../label-selection.ts';
import { Permutation } from '../permutation.ts';
import { preparedFolder } from '../prepared-folder.ts';
import type { Image, ImageSource } from './image-source.ts';
import { ImageSplit, LABEL_BYTES, type Normalization } from './image-split.ts';

export type ImageDataset = Dataset<ImageSplit> & {
  /** [channels, height, width]. */
  readonly dims: readonly [number, number, number];
  readonly normalization: Normalization;
};

export interface PrepareImagesOptions {
  readonly source: ImageSource;
  /** Pictures of the training part that choose the best epoch: a count, or a fraction below 1. */
  readonly validation: number;
  /** Pictures to train on, at most, drawn by the seed; all that are left, when absent. */
  readonly train?: number;
  /** How many training pictures of each class keep their label. */
  readonly labelsPerClass: number | 'all';
  readonly seed: number;
  /** Where prepared data sets are kept, each in a folder named by its fingerprint. */
  readonly folder: string;
  readonly onProgress?: (pictures: number) => void;
  readonly signal?: AbortSignal;
}

/** Raised when the files' layout changes. */
const FORMAT = 1;
const PROGRESS_PICTURES = 1000;

interface Manifest {
  readonly format: typeof FORMAT;
  readonly fingerprint: string;
  readonly title: string;
  readonly labels: readonly string[];
  readonly dims: readonly [number, number, number];
  readonly normalization: Normalization;
  readonly sizes: Record<DatasetSplit, number>;
  readonly statistics: DatasetStatistics;
  readonly files: Record<string, { bytes: number; sha256: string }>;
}

/**
 * Reads a source of pictures once and writes it to disk by split: the validation split is drawn from the training part
 * by the seed. Mean and deviation of each channel are those of the training pictures.
 *
 * @throws LimbeckError `data.too-few`, `data.disk-full`, and what the source throws; nothing half-written is left.
 */
export async function prepareImageDataset(options: PrepareImagesOptions): Promise<ImageDataset> {
  const { source, validation, labelsPerClass, seed } = options;
  const parts = {
    format: FORMAT,
    source: source.fingerprint,
    labels: source.labels,
    validation,
    ...(options.train === undefined ? {} : { train: options.train }),
    labelsPerClass,
    seed,
  };
  const fingerprint = createHash('sha256').update(canonicalJson(parts)).digest('hex');
  return preparedFolder({
    root: options.folder,
    fingerprint,
    find: (folder) => readManifest(folder, fingerprint),
    build: (folder) => build(folder, fingerprint, options),
    open,
  });
}

async function build(folder: string, fingerprint: string, options: PrepareImagesOptions): Promise<Manifest> {
  const { source, seed, labelsPerClass, signal } = options;
  const { sizes, labels } = source;
  const wanted = options.validation < 1 ? Math.round(options.validation * sizes.train) : options.validation;
  if (wanted < 1 || wanted >= sizes.train) {
    throw new LimbeckError('data.too-few', `${wanted} of ${sizes.train} pictures are to validate`, {
      where: source.title,
      remedy: 'Set data.splits.validation to a smaller number, of one picture at least.',
    });
  }
  const order = new Permutation(sizes.train, seed, 'validation-pictures');
  const end = wanted + (options.train ?? sizes.train);
  const trains = (index: number) => order.at(index) >= wanted && order.at(index) < end;
  const kept = await keptLabels(source, labelsPerClass, seed, trains);
  const bySplit = <T>(make: (split: DatasetSplit) => T) =>
    Object.fromEntries(DATASET_SPLITS.map((split) => [split, make(split)])) as Record<DatasetSplit, T>;
  const files = bySplit((split) => new AppendingFile(join(folder, split)));
  const counts = bySplit(() => 0);
  const classCounts = bySplit(() => new Array<number>(labels.length).fill(0));
  const put = (split: DatasetSplit, { pixels, label }: Image, known: boolean) => {
    const head = Buffer.alloc(LABEL_BYTES);
    head.writeInt32LE(known ? label : -1);
    files[split].append(head);
    files[split].append(pixels);
    counts[split]++;
    (classCounts[split][label] as number)++;
  };
  const moments = new Moments(source.channels);
  let read = 0;
  try {
    for (const part of ['train', 'test'] as const) {
      let index = 0;
      for await (const image of source.read(part)) {
        signal?.throwIfAborted();
        if (part === 'test') put('test', image, true);
        else if (order.at(index) < wanted) put('validation', image, true);
        else if (trains(index)) {
          const known = kept === undefined || kept.has(index);
          moments.add(image.pixels);
          put('train', image, known);
          if (known) put('labelled', image, true);
        }
        index++;
        if (++read % PROGRESS_PICTURES === 0) options.onProgress?.(read);
      }
    }
    const manifest: Manifest = {
      format: FORMAT,
      fingerprint,
      title: source.title,
      labels,
      dims: [source.channels, source.height, source.width],
      normalization: moments.normalization(),
      sizes: counts,
      statistics: {
        rows: read,
        broken: { count: 0, first: [] },
        duplicates: 0,
        unlabelledHeldOut: 0,
        truncated: 0,
        tokenLengths: [],
        classCounts,
      },
      files: bySplit((split) => files[split].finish()),
    };
    const path = join(folder, 'manifest.json');
    guardWrite(path, () => fs.writeFileSync(path, `${JSON.stringify(manifest, null, 1)}\n`, { flush: true }));
    return manifest;
  } finally {
    for (const file of Object.values(files)) file.close();
  }
}

/** The training pictures that keep their label; undefined for all. */
async function keptLabels(
  source: ImageSource,
  labelsPerClass: number | 'all',
  seed: number,
  trains: (index: number) => boolean,
): Promise<Set<number> | undefined> {
  if (labelsPerClass === 'all') return undefined;
  const selection = new LabelSelection(labelsPerClass, seed);
  let index = 0;
  for await (const { pixels, label } of source.read('train')) {
    if (trains(index)) selection.offer(index, label, createHash('sha256').update(pixels).digest());
    index++;
  }
  return selection.chosen();
}

/** Mean and deviation of each channel, of pixels between 0 and 1. */
class Moments {
  readonly #sums: number[];
  readonly #squares: number[];
  #pixels = 0;

  constructor(channels: number) {
    this.#sums = new Array<number>(channels).fill(0);
    this.#squares = new Array<number>(channels).fill(0);
  }

  add(pixels: Uint8Array): void {
    const plane = pixels.length / this.#sums.length;
    this.#sums.forEach((_, channel) => {
      // Whole numbers: exact, and in any order.
      for (let i = channel * plane; i < (channel + 1) * plane; i++) {
        const value = pixels[i] as number;
        (this.#sums[channel] as number) += value;
        (this.#squares[channel] as number) += value * value;
      }
    });
    this.#pixels += plane;
  }

  /** Rounded, so that a person can read it in the student's files. */
  normalization(): Normalization {
    const round = (value: number) => Math.round(value * 1e4) / 1e4;
    const mean = this.#sums.map((sum) => sum / this.#pixels / 255);
    const deviation = this.#squares.map((sum, channel) =>
      Math.sqrt(Math.max(sum / this.#pixels / 255 ** 2 - (mean[channel] as number) ** 2, 1e-6)),
    );
    return { mean: mean.map(round), deviation: deviation.map(round) };
  }
}

function readManifest(folder: string, fingerprint: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(readRegularText(join(folder, 'manifest.json'))) as Manifest;
    if (manifest.format !== FORMAT || manifest.fingerprint !== fingerprint) return undefined;
    const sound = Object.entries(manifest.files).every(
      ([name, { bytes, sha256 }]) =>
        fs.statSync(join(folder, name)).size === bytes && hashFile(join(folder, name)) === sha256,
    );
    return sound ? manifest : undefined;
  } catch {
    return undefined;
  }
}

function open(folder: string, manifest: Manifest, reused: boolean): ImageDataset {
  const { dims, labels, normalization, sizes } = manifest;
  const splits = Object.fromEntries(
    DATASET_SPLITS.map((name) => [
      name,
      new ImageSplit({ name, path: join(folder, name), size: sizes[name], dims, labels, normalization }),
    ]),
  ) as Record<DatasetSplit, ImageSplit>;
  return {
    fingerprint: manifest.fingerprint,
    contentHash: createHash('sha256')
      .update(canonicalJson({ labels, files: manifest.files }))
      .digest('hex'),
    title: manifest.title,
    labels,
    dims,
    normalization,
    splits,
    statistics: manifest.statistics,
    reused,
    close: () => {
      for (const split of Object.values(splits)) split.close();
    },
  };
}
