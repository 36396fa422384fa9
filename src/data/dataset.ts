import type { ColumnSpec } from './columns.ts';
import type { LabelStatistics } from './findings/label-findings.ts';
import type { SharedInput } from './findings/shared-inputs.ts';
import type { LongTexts } from './findings/text-lengths.ts';
import type { Processor } from './modalities/modality.ts';
import type { InputStatistics } from './rows/input-counts.ts';
import type { BrokenRows, SourceNote } from './sample.ts';
import type { Split } from './split.ts';
import type { KeptDifference } from './splits/kept-difference.ts';
import type { SplitOrigins } from './splits/split-assignment.ts';

/** `train` is all training samples, `labelled` those of them whose label is known. */
export const DATASET_SPLITS = ['train', 'labelled', 'validation', 'test'] as const;
export type DatasetSplit = (typeof DATASET_SPLITS)[number];

/** What preparing a data set found out. */
export interface DatasetStatistics {
  /** Rows that the source gave, broken ones too. */
  rows: number;
  broken: BrokenRows;
  /** What the source assumed, for the person. */
  notes: SourceNote[];
  /** Samples whose text holds U+FFFD, which stands for what a program before could not read; and the first of them. */
  replaced: { count: number; first?: string };
  /** Whether the held-out splits are the data set's own. */
  origins: SplitOrigins;
  /** Samples left out because a split that comes before (test, validation, train) has the same content. */
  duplicates: number;
  /** Samples without a label in groups that went to validation or test, where they are of no use. */
  unlabelledHeldOut: number;
  /** How many samples have 0, 1, 2 ... maxLength tokens, after cutting; empty for images. */
  tokenLengths: number[];
  /** Texts with tokens that the vocabulary does not have, these tokens, and where the first text is; absent for images. */
  unknown?: { texts: number; tokens: number; first?: string };
  /** Texts with more than maxLength tokens, which were cut. */
  longTexts?: LongTexts;
  /** Samples of each class, in the order of `labels`; in `train` by their true class, also where it is hidden. */
  classCounts: Record<DatasetSplit, number[]>;
  /** How the data differ from those of the run whose splits were asked for. */
  kept?: KeptDifference;
  /** The labels as the rows have them, where the main output is a class. */
  labels?: LabelStatistics;
  /**
   * Where the main output is no class: contents (images, texts) that several rows have with different values, those rows,
   * and two rows of some of them.
   */
  differing?: { contents: number; rows: number; first: string[][] };
  /** Parts of an output's values (words of sentences) by split, and how many of them the labelled training samples do not have. */
  parts?: Record<string, Record<DatasetSplit, { all: number; unknown: number }>>;
  /** Of outputs whose samples may have several classes, or that are not the main one: how many samples have each, by split as in `classCounts`. */
  tallies?: Record<string, { names: string[]; samples: Record<DatasetSplit, number[]> }>;
  /** Where samples have several inputs: held-out samples, and how many of them share that input with a training sample. */
  shared?: Record<string, SharedInput>;
  /** What was met of each input. */
  inputs?: Record<string, InputStatistics>;
}

/** A split data set on disk. Samples stay there: memory does not grow with their number. */
export interface Dataset<S extends Split = Split> {
  /** Hash of all that made it: source, options, seed. Part of other stages' cache keys. */
  readonly fingerprint: string;
  /** Hash of what it holds; the same for a copy of the source, whose dates (and with them the fingerprint) differ. */
  readonly contentHash: string;
  /** The source, for people. */
  readonly title: string;
  /** How its inputs are read, by what was measured of the training samples. */
  readonly inputs: readonly {
    readonly name: string;
    readonly modality: string;
    readonly processor: Processor;
  }[];
  /** What the columns of each output depend on: class names, the width of a vector. */
  readonly spaces: Readonly<Record<string, unknown>>;
  /** The columns of its batches, but for weights. */
  readonly columns: readonly ColumnSpec[];
  /** Class names of the main output; a label is a position in this list. Empty where it is not a class. */
  readonly labels: readonly string[];
  readonly splits: Readonly<Record<DatasetSplit, S>>;
  readonly statistics: DatasetStatistics;
  /** The file that lists the broken rows, where there are any. */
  readonly brokenRowsFile?: string;
  /** True where an earlier preparation was found complete and used as it is. */
  readonly reused: boolean;
  close(): void;
}
