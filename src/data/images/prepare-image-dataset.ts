import { LimbeckError } from '../../errors.ts';
import * as fs from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import { join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import { openSealedJson, sealJson } from '../../sealed-json.ts';
import { AppendingFile, guardWrite } from '../appending-file.ts';
import { canonicalJson } from '../canonical-json.ts';
import { DATASET_SPLITS, type Dataset, type DatasetSplit, type DatasetStatistics } from '../dataset.ts';
import { drawTraining, selectLabelled } from '../draw-training.ts';
import { hashFile } from '../hash-file.ts';
import { assignKept, type KeptSplits, keptDigest } from '../kept-splits.ts';
import { preparedFolder } from '../prepared-folder.ts';
import {
  assignSplits,
  DUPLICATE,
  type SplitOrigins,
  type SplitSizes,
  TEST,
  TRAIN,
  VALIDATION,
} from '../split-assignment.ts';
import type { Image, ImageSource } from './image-source.ts';
import { ImageSplit, LABEL_BYTES, type Normalization } from './image-split.ts';
import { ImageTable } from './image-table.ts';

export type ImageDataset = Dataset<ImageSplit> & {
  /** [channels, height, width]. */
  readonly dims: readonly [number, number, number];
  readonly normalization: Normalization;
};

export interface PrepareImagesOptions {
  readonly source: ImageSource;
  /** Counts of images, or fractions below 1; the test part is the source's own. */
  readonly splits: SplitSizes;
  /** The splits of an earlier preparation: images go where they were, and others are left out. */
  readonly kept?: KeptSplits;
  /** How many training pictures of each class keep their label. */
  readonly labelsPerClass: number | 'all';
  readonly seed: number;
  /** Where prepared data sets are kept, each in a folder named by its fingerprint. */
  readonly folder: string;
  readonly onProgress?: (pictures: number) => void;
  /** Told of an earlier preparation that was damaged. */
  readonly onDamaged?: ((folder: string) => void) | undefined;
  readonly signal?: AbortSignal;
}

/** Raised when the files' layout changes. */
const FORMAT = 2;
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
 * Reads a source of pictures and writes it to disk by split: the validation split is drawn from the training part
 * by the seed and the pictures' content. Mean and deviation of each channel are those of the training pictures.
 *
 * @throws LimbeckError `data.too-few`, `data.disk-full`, and what the source throws; nothing half-written is left.
 */
export async function prepareImageDataset(options: PrepareImagesOptions): Promise<ImageDataset> {
  const { source, splits, labelsPerClass, seed, kept } = options;
  const parts = {
    format: FORMAT,
    source: source.fingerprint,
    labels: source.labels,
    splits,
    labelsPerClass,
    seed,
    ...(kept && { kept: keptDigest(kept) }),
  };
  const fingerprint = createSha256().update(canonicalJson(parts)).digest('hex');
  return preparedFolder({
    root: options.folder,
    fingerprint,
    find: (folder) => readManifest(folder, fingerprint),
    build: (folder) => build(folder, fingerprint, options),
    onDamaged: options.onDamaged,
    open,
  });
}

async function build(folder: string, fingerprint: string, options: PrepareImagesOptions): Promise<Manifest> {
  const { source, seed, labelsPerClass, splits, kept, signal } = options;
  const { labels } = source;
  const table = await ImageTable.read(source, seed, signal);
  const assigned = kept
    ? { ...assignKept(table.byContent(), kept, (label) => label), origins: undefined }
    : {
        origins: assignSplits(table, splits, source.title, labels),
        difference: undefined,
        labelled: undefined,
      };
  // Published data: the order of positions chooses whom to train on, and then who keeps a label.
  if (!kept && source.identity === 'position' && splits.train !== undefined) table.keepFirst(splits.train);
  const labelled = kept ? assigned.labelled : selectLabelled(table, labelsPerClass, seed);
  if (!kept) drawTraining(table, splits, labelled, labels, seed);
  requireTraining(table, source.title);
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
    let left = 0;
    for (const part of ['train', 'test'] as const) {
      for await (const image of source.read(part)) {
        signal?.throwIfAborted();
        const split = table.split(read);
        if (split === TEST) put('test', image, true);
        else if (split === VALIDATION) put('validation', image, true);
        else if (split === TRAIN) {
          const known = labelled === undefined || labelled.has(read);
          moments.add(image.pixels);
          put('train', image, known);
          if (known) put('labelled', image, true);
        } else if (split === DUPLICATE) left++;
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
        broken: { count: 0, first: [], reasons: {} },
        notes: [],
        replaced: { count: 0 },
        origins: assigned.origins ?? ORIGINS_KEPT,
        ...(assigned.difference && { kept: assigned.difference }),
        duplicates: left,
        unlabelledHeldOut: 0,
        tokenLengths: [],
        classCounts,
      },
      files: bySplit((split) => files[split].finish()),
    };
    const path = join(folder, 'manifest.json');
    guardWrite(path, () => fs.writeFileSync(path, sealJson(manifest, 1), { flush: true }));
    return manifest;
  } finally {
    for (const file of Object.values(files)) file.close();
  }
}

const ORIGINS_KEPT: SplitOrigins = {
  validation: { from: 'data', cut: 0, missing: 0 },
  test: { from: 'data', cut: 0, missing: 0 },
};

function requireTraining(table: ImageTable, title: string): void {
  const counts = new Map<number, number>();
  for (let i = 0; i < table.size; i++) counts.set(table.split(i), (counts.get(table.split(i)) ?? 0) + 1);
  if (counts.has(TRAIN) && counts.has(VALIDATION)) return;
  throw new LimbeckError(
    'data.too-few',
    `${counts.get(VALIDATION) ?? 0} pictures are to validate, and ${counts.get(TRAIN) ?? 0} are left to train on`,
    {
      where: title,
      remedy: 'Set data.splits.validation to a smaller number, of one picture at least.',
    },
  );
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
    const { value, sealed } = openSealedJson(readRegularText(join(folder, 'manifest.json')));
    if (!sealed) return undefined;
    const manifest = value as unknown as Manifest;
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
    contentHash: createSha256()
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
