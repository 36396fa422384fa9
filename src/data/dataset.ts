import type { Batch } from './batch.ts';
import type { BrokenRow } from './sample.ts';
import type { Split } from './split.ts';

/** `train` is all training samples, `labelled` those of them whose label is known. */
export const DATASET_SPLITS = ['train', 'labelled', 'validation', 'test'] as const;
export type DatasetSplit = (typeof DATASET_SPLITS)[number];

/** What preparing a data set found out. */
export interface DatasetStatistics {
  /** Rows that the source gave, broken ones too. */
  rows: number;
  broken: { count: number; first: BrokenRow[] };
  /** Samples left out because a split that comes before (test, validation, train) has the same content. */
  duplicates: number;
  /** Samples without a label in groups that went to validation or test, where they are of no use. */
  unlabelledHeldOut: number;
  /** Samples whose text was cut to `maxLength` tokens. */
  truncated: number;
  /** How many samples have 0, 1, 2 ... maxLength tokens, after cutting; empty for images. */
  tokenLengths: number[];
  /** Samples of each class, in the order of `labels`; in `train` by their true class, also where it is hidden. */
  classCounts: Record<DatasetSplit, number[]>;
}

/** A split data set on disk. Samples stay there: memory does not grow with their number. */
export interface Dataset<S extends Split<Batch> = Split> {
  /** Hash of all that made it: source, options, seed. Part of other stages' cache keys. */
  readonly fingerprint: string;
  /** Hash of what it holds; the same for a copy of the source, whose dates (and with them the fingerprint) differ. */
  readonly contentHash: string;
  /** The source, for people. */
  readonly title: string;
  /** Class names; a label is a position in this list. */
  readonly labels: readonly string[];
  readonly splits: Readonly<Record<DatasetSplit, S>>;
  readonly statistics: DatasetStatistics;
  /** True where an earlier preparation was found complete and used as it is. */
  readonly reused: boolean;
  close(): void;
}
