import * as fs from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import { join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import { openSealedJson, sealJson } from '../../sealed-json.ts';
import { canonicalJson } from '../canonical-json.ts';
import { DATASET_SPLITS, type Dataset, type DatasetSplit, type DatasetStatistics } from '../dataset.ts';
import { hashFile } from '../hash-file.ts';
import { BROKEN_ROWS_FILE } from '../rows/broken-rows.ts';
import { guardWrite } from './appending-file.ts';
import type { LiveOutput } from './batch-columns.ts';
import {
  axisOf,
  type DatasetInput,
  type DatasetOutput,
  labelColumn,
  outputColumns,
} from './dataset-parts.ts';
import { chooseHeldBuckets } from './held-buckets.ts';
import { type RecordLayout, recordLayout } from './record-layout.ts';
import { RecordSplit } from './record-split.ts';
import { SHOWN_FILE } from './sample-stage.ts';

/** Raised when the files' layout changes, so that older ones are made anew. */
export const DATASET_FORMAT = 7;

export interface FileSum {
  bytes: number;
  sha256: string;
}

/** `manifest.json`: written last, so a folder with one is complete. */
export interface DatasetManifest {
  format: typeof DATASET_FORMAT;
  fingerprint: string;
  title: string;
  /** Classes of the main output; empty where it is not one of classes. */
  labels: string[];
  /** What was measured of the training samples, by input. */
  measured: Record<string, unknown>;
  /** What the columns of each output depend on. */
  spaces: Record<string, unknown>;
  /** Lengths on the inputs' axis; [0] without one. */
  buckets: number[];
  /** Samples by split and bucket. */
  sizes: Record<DatasetSplit, number[]>;
  statistics: DatasetStatistics;
  files: Record<string, FileSum>;
}

/** The name of the file with a split's samples of one bucket. */
export function bucketFileName(split: DatasetSplit, length: number): string {
  return `${split}.${length}`;
}

export function writeManifest(folder: string, manifest: DatasetManifest): void {
  const path = join(folder, 'manifest.json');
  guardWrite(path, () => fs.writeFileSync(path, sealJson(manifest, 1), { flush: true }));
}

/** The manifest of a complete, undamaged data set with this fingerprint; undefined if it has to be made. */
export function readManifest(folder: string, fingerprint: string): DatasetManifest | undefined {
  try {
    const { value, sealed } = openSealedJson(readRegularText(join(folder, 'manifest.json')));
    if (!sealed) return undefined;
    const manifest = value as unknown as DatasetManifest;
    if (manifest.format !== DATASET_FORMAT || manifest.fingerprint !== fingerprint) return undefined;
    const sound = Object.entries(manifest.files).every(
      ([name, { bytes, sha256 }]) =>
        fs.statSync(join(folder, name)).size === bytes && hashFile(join(folder, name)) === sha256,
    );
    return sound ? manifest : undefined;
  } catch {
    return undefined;
  }
}

/** A prepared data set, whose splits are read from files. */
export type PreparedDataset = Dataset<RecordSplit>;

/** Opens the files that a manifest describes. */
export function openDataset(
  folder: string,
  manifest: DatasetManifest,
  reused: boolean,
  parts: { readonly inputs: readonly DatasetInput[]; readonly outputs: readonly DatasetOutput[] },
): PreparedDataset {
  const axis = axisOf(parts.inputs)?.name;
  const inputs = parts.inputs.map(({ name, modality, processor }) => ({
    name,
    modality,
    processor:
      name in manifest.measured && processor.measured
        ? processor.measured(manifest.measured[name])
        : processor,
  }));
  const columns = outputColumns(parts.outputs, (name) => manifest.spaces[name]);
  const lives = parts.outputs.map(({ name, truth: { live } }, i): LiveOutput | undefined => {
    const space = manifest.spaces[name];
    const column = labelColumn(parts.outputs, i);
    return (
      live && {
        columns: live.columns(space, column),
        write: (all, row, movement) => live.write(all, row, space, column, movement),
      }
    );
  });
  const processors = inputs.map(({ processor }) => processor);
  const layouts = manifest.buckets.map((length) => recordLayout(length, processors, columns, axis));
  const held = chooseHeldBuckets(bucketBytes(manifest.sizes, layouts));
  const open = (split: DatasetSplit) =>
    new RecordSplit({
      name: split,
      buckets: manifest.buckets.map((length, bucket) => ({
        size: manifest.sizes[split][bucket] as number,
        path: join(folder, bucketFileName(split, length)),
        layout: layouts[bucket] as RecordLayout,
        held: held[split][bucket] as boolean,
      })),
      shownPath: join(folder, SHOWN_FILE),
      inputs,
      outputs: parts.outputs.map(({ name, truth }, i) => ({
        name,
        weighted: i > 0 || !truth.marksMissing,
        live: lives[i],
      })),
      axis,
      classes: manifest.labels.length > 0 ? manifest.labels : undefined,
    });
  const splits = Object.fromEntries(DATASET_SPLITS.map((split) => [split, open(split)])) as Record<
    DatasetSplit,
    RecordSplit
  >;
  // Broken rows are told by file and line: they are no part of the content.
  const { [BROKEN_ROWS_FILE]: _, ...contents } = manifest.files;
  return {
    fingerprint: manifest.fingerprint,
    contentHash: createSha256()
      .update(canonicalJson({ labels: manifest.labels, spaces: manifest.spaces, files: contents }))
      .digest('hex'),
    ...(manifest.statistics.broken.count > 0 && { brokenRowsFile: join(folder, BROKEN_ROWS_FILE) }),
    title: manifest.title,
    labels: manifest.labels,
    inputs,
    spaces: manifest.spaces,
    columns: [
      ...processors.flatMap((processor) => processor.columns),
      ...columns.flat(),
      ...lives.flatMap((live) => live?.columns ?? []),
    ],
    splits,
    statistics: manifest.statistics,
    reused,
    close: () => {
      for (const split of Object.values(splits)) split.close();
    },
  };
}

/** Sizes of the buckets' files, by split. */
function bucketBytes(sizes: DatasetManifest['sizes'], layouts: readonly RecordLayout[]) {
  return Object.fromEntries(
    DATASET_SPLITS.map((split) => [
      split,
      layouts.map(({ bytes }, bucket) => bytes * (sizes[split][bucket] as number)),
    ]),
  ) as DatasetManifest['sizes'];
}
