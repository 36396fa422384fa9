import type { Tensor } from '../onnx/tensor.ts';
import type { ColumnSpec } from './columns.ts';
import type { LabelSummary } from './labels/label-reader.ts';
import type { Encoded, Movement } from './modalities/modality.ts';
import type { OutputKeys } from './output-keys.ts';
import type { FieldDeclaration, SourceNote } from './sample.ts';
import type { KeptSplits } from './splits/kept-splits.ts';

/**
 * How the ground truth of an output comes from rows, lies on disk and becomes columns of a batch. Targets give one; the data
 * set knows no more of a target than this.
 *
 * Values have to be numbers, Float32Arrays, or what JSON holds: they wait on disk until the last row is read.
 */
export interface GroundTruth<Value = unknown, Space = unknown> {
  /** All that a value depends on besides the row: part of the data set's fingerprint. */
  readonly hash: string;
  /**
   * Whether the columns' padding itself says that a row has no value (class -1). Where it does not, batches have a column
   * `row_weights/OUTPUT` that says it.
   */
  readonly marksMissing: boolean;
  /** Begins to read rows. */
  begin(context: TruthContext): TruthReader<Value, Space>;
  /**
   * The columns of the output, role `target`; role `input` for those that a model reads beside the sample (the true words before
   * each that it is to write).
   *
   * @param name of the first column, `labels` or `labels/OUTPUT`; names of others begin with it and a slash
   */
  columns(space: Space, name: string): readonly ColumnSpec[];
  /** Writes a value to a row of its columns, which are padding before. */
  write(
    value: Value,
    columns: Readonly<Record<string, Tensor>>,
    row: number,
    space: Space,
    name: string,
  ): void;
  /** Whether values are places in whole images: an image of which parts are cut off has other ones. */
  readonly wantsWholeImages?: boolean;
  /** Columns that do not lie on disk: they are made of the others whenever a batch is read. */
  readonly live?: LiveColumns<Space> | undefined;
}

/**
 * Columns that are made of those on disk when a batch is read: they would take more room than what they are made of, or they
 * move with an image that is varied.
 */
export interface LiveColumns<Space = unknown> {
  /** Role `target`; names as `GroundTruth.columns` has them. */
  columns(space: Space, name: string): readonly ColumnSpec[];
  /**
   * Fills them in a row, which are padding before, and may change the row of the others.
   *
   * @param movement how the row's image was moved
   */
  write(
    columns: Readonly<Record<string, Tensor>>,
    row: number,
    space: Space,
    name: string,
    movement: Movement | undefined,
  ): void;
}

/** What is known when the reading begins. */
export interface TruthContext {
  /** The name of the output in the recipe. */
  readonly output: string;
  /** The column that holds it, for people. */
  readonly field: string;
  /** For remedies; those of a recipe's `outputs` when absent. */
  readonly keys?: OutputKeys | undefined;
  /** The source, for errors. */
  readonly title: string;
  /** What the source declares of the field. */
  readonly declared?: FieldDeclaration | undefined;
  /** The splits of an earlier run, whose classes stay. */
  readonly kept?: KeptSplits | undefined;
  /** What the source has told so far; it grows. */
  readonly notes: readonly SourceNote[];
}

/** Where a value comes from. */
export interface TruthRow {
  /** For people: `train.jsonl:12`. */
  readonly where: string;
  /** The row's inputs as they are kept, by name: what spans of tokens are counted by. */
  readonly encoded: Readonly<Record<string, Encoded | undefined>>;
}

/** Reads the values of one output, row by row, and finds out what space they lie in. */
export interface TruthReader<Value = unknown, Space = unknown> {
  /**
   * The value of a row; undefined where it has none.
   *
   * @throws BrokenValue for a value that cannot be used
   */
  read(raw: unknown, row: TruthRow): Value | undefined;
  /** The number of the value's stratum among `strata`, of which every split gets its part; all are one where absent. */
  stratum?(value: Value): number;
  /** The strata's names, in the order in which they were met. */
  readonly strata?: readonly string[];
  /**
   * Called after the last row and before `finish` with the value of each labelled training sample: what a space learns of values (a
   * vocabulary, a mean) is of these alone. Absent where it learns nothing.
   */
  fit?(value: Value): void;
  /** After the last row. @throws LimbeckError where nothing can be learnt from the values */
  finish(): FoundTruth<Value, Space>;
}

/** What was found when all rows are read. */
export interface FoundTruth<Value = unknown, Space = unknown> {
  /** What the columns depend on: class names, the width of a vector. JSON. */
  readonly space: Space;
  /** The names of the classes, where the values are classes. */
  readonly classes?: readonly string[];
  /** The class of a stratum; undefined where there are no classes. */
  classOf?(stratum: number): number;
  /** What is kept of a value that was read, now that the space is known; the value itself when absent. */
  final?(value: Value): Value;
  /** Parts of a final value (words of a sentence), and how many of them the space does not know; absent where it knows all. */
  parts?(value: Value): { readonly all: number; readonly unknown: number };
  /** The classes that a final value speaks of, as places in `names`, where it may speak of several: spans, boxes, classes of frames. */
  readonly tally?: { readonly names: readonly string[]; of(value: Value): Iterable<number> };
  /** The labels as the rows have them. */
  readonly summary?: LabelSummary;
  /** Assumptions about the values that a person should know. */
  readonly notes?: readonly SourceNote[];
  /** Complains of samples that the training lacks. @param labelled training samples with a value, by class */
  check?(labelled: readonly number[]): void;
}
