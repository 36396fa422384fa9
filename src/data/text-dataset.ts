import type { BrokenRow } from './sample.ts';
import type { TokenSplit } from './token-split.ts';

/** `train` is all training samples, `labelled` those of them whose label is known. */
export const DATASET_SPLITS = ['train', 'labelled', 'validation', 'test'] as const;
export type DatasetSplit = (typeof DATASET_SPLITS)[number];

/** What preparing a data set found out. */
export interface DatasetStatistics {
  /** Rows that the source gave, broken ones too. */
  rows: number;
  broken: { count: number; first: BrokenRow[] };
  /** Samples left out because a split that comes before (test, validation, train) has the same text. */
  duplicates: number;
  /** Samples without a label in groups that went to validation or test, where they are of no use. */
  unlabelledHeldOut: number;
  /** Samples whose text was cut to `maxLength` tokens. */
  truncated: number;
  /** How many samples have 0, 1, 2 ... maxLength tokens, after cutting. */
  tokenLengths: number[];
  /** Samples of each class, in the order of `labels`; in `train` by their true class, also where it is hidden. */
  classCounts: Record<DatasetSplit, number[]>;
}

/** A tokenized, split data set on disk. Texts and tokens stay there: memory does not grow with the samples. */
export interface TextDataset {
  /** Hash of all that made it: source, tokenizer, options, seed. Part of other stages' cache keys. */
  readonly fingerprint: string;
  /** Hash of what it holds; the same for a copy of the source, whose dates (and with them the fingerprint) differ. */
  readonly contentHash: string;
  /** The source, for people. */
  readonly title: string;
  /** Class names; a label is a position in this list. */
  readonly labels: readonly string[];
  readonly splits: Readonly<Record<DatasetSplit, TokenSplit>>;
  readonly statistics: DatasetStatistics;
  /** True where an earlier preparation was found complete and used as it is. */
  readonly reused: boolean;
  close(): void;
}
