import * as fs from '../platform/files.ts';
import { createSha256 } from '../platform/hash.ts';
import { join } from '../platform/paths.ts';
import { readRegularText } from '../regular-file.ts';
import { openSealedJson, sealJson } from '../sealed-json.ts';
import { guardWrite } from './appending-file.ts';
import { BROKEN_ROWS_FILE } from './broken-rows.ts';
import { canonicalJson } from './canonical-json.ts';
import { DATASET_SPLITS, type DatasetSplit, type DatasetStatistics } from './dataset.ts';
import { hashFile } from './hash-file.ts';
import { chooseHeldBuckets } from './held-buckets.ts';
import type { Side } from './special-tokens.ts';
import type { TextDataset } from './text-dataset.ts';
import { type RecordLayout, recordLayout } from './token-record.ts';
import { TokenSplitFile } from './token-split.ts';

/** Raised when the files' layout changes, so that older ones are made anew. */
export const DATASET_FORMAT = 5;

export interface FileSum {
  bytes: number;
  sha256: string;
}

/** `manifest.json`: written last, so a folder with one is complete. */
export interface DatasetManifest {
  format: typeof DATASET_FORMAT;
  fingerprint: string;
  title: string;
  labels: string[];
  vocabularySize: number;
  padId: number;
  paddingSide: Side;
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

/** Opens the files that a manifest describes. */
export function openDataset(folder: string, manifest: DatasetManifest, reused: boolean): TextDataset {
  const layouts = manifest.buckets.map((length) => recordLayout(length, manifest.vocabularySize));
  const held = chooseHeldBuckets(bucketBytes(manifest.sizes, layouts));
  const open = (split: DatasetSplit) =>
    new TokenSplitFile(
      split,
      manifest.buckets.map((length, bucket) => ({
        length,
        size: manifest.sizes[split][bucket] as number,
        path: join(folder, bucketFileName(split, length)),
        layout: layouts[bucket] as RecordLayout,
        held: held[split][bucket] as boolean,
      })),
      join(folder, 'texts'),
      manifest.padId,
      manifest.paddingSide,
    );
  const splits = Object.fromEntries(DATASET_SPLITS.map((split) => [split, open(split)])) as Record<
    DatasetSplit,
    TokenSplitFile
  >;
  // Broken rows are told by file and line: they are no part of the content.
  const { [BROKEN_ROWS_FILE]: _, ...contents } = manifest.files;
  return {
    fingerprint: manifest.fingerprint,
    contentHash: createSha256()
      .update(canonicalJson({ labels: manifest.labels, files: contents }))
      .digest('hex'),
    ...(manifest.statistics.broken.count > 0 && { brokenRowsFile: join(folder, BROKEN_ROWS_FILE) }),
    title: manifest.title,
    labels: manifest.labels,
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
