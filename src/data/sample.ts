/** One row of a text classification data set, as a source gives it. */
export interface TextSample {
  /** Stable across runs; unique in its source, e.g. `noun.00001740` or `train.jsonl:12`. */
  id: string;
  /** Samples with the same group never land in different splits (for example the synset of a gloss). */
  group: string;
  text: string;
  /** The class name, or undefined for a row without a label. */
  label?: string;
  /** Of a row without a label: the value that stands for none, if the data set does not declare that (`NaN`). */
  noLabel?: string;
  /** The split that the data set itself puts the row in. */
  split?: SplitName;
}

/** The parts that a data set is split into. */
export type SplitName = 'train' | 'validation' | 'test';

/** A row that could not be read as a sample. */
export interface BrokenRow {
  /** File and row, for the person. */
  where: string;
  problem: string;
  /** The label is a list: several classes for a text. */
  labelList?: true;
}

/** What a source yields, row by row: a sample, or a broken row that is counted and shown. */
export type SourceRow = { sample: TextSample } | { broken: BrokenRow };

/** Where samples come from. Reading streams: a source never holds the whole data set in memory. */
export interface DataSource {
  /** For people: `WordNet 3.1 noun glosses`, `train.jsonl`. */
  readonly title: string;
  /** Changes when what it would yield changes (file size and time, package version, options): part of cache keys. */
  fingerprint(): Promise<string>;
  rows(signal?: AbortSignal): AsyncIterable<SourceRow>;
  /**
   * The class names that the data set itself declares (ClassLabel), in the order of their numbers; its rows have these
   * names for labels.
   *
   * @throws LimbeckError `data.class-names` where its files declare different ones.
   */
  classNames?(): Promise<DeclaredClasses | undefined>;
}

/** The class names that a data set declares for its label column, in the order of their numbers. */
export interface DeclaredClasses {
  readonly names: readonly string[];
  /** What declares them, for people: `README.md`, the file with the rows. */
  readonly where: string;
}
