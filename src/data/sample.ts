/** One row of a data set, as a source gives it. */
export interface Sample {
  /**
   * Stable across runs, and unique in its source: `noun.00001740`, or what the recipe's `idField` holds. Where there is
   * none the sample is its content; a file's name or a row's number never identify it.
   */
  id?: string;
  /** Samples with the same group never land in different splits (for example the synset of a gloss); the id when absent. */
  group?: string;
  /** The split that the data set itself puts the row in. */
  split?: SplitName;
  /** File and row, for the person: `train.jsonl:12`. */
  where?: string;
  /** How the row begins, for the person. */
  excerpt?: string;
  /** The absolute folder that relative paths among the values are in. */
  folder?: string;
  /**
   * Raw values by column, of any type, from outside: a text or a class as a string, an image or a sound as `{ path }`,
   * `{ bytes }` or `{ pixels, dims }`, numbers, lists, records.
   */
  values: Readonly<Record<string, unknown>>;
}

/** The parts that a data set is split into. */
export type SplitName = 'train' | 'validation' | 'test';

/** Why a row cannot be read; what broken rows are counted by. */
export type BrokenReason =
  | 'encoding'
  | 'quotes'
  | 'columns'
  | 'json'
  | 'too-long'
  | 'text'
  | 'label'
  | 'unknown-label'
  | 'split'
  | 'id'
  | 'tokens'
  | 'conversation'
  | 'image'
  | 'audio'
  | 'value'
  | 'missing'
  | 'other';

/** A row that could not be read as a sample. */
export interface BrokenRow {
  /** File and row, for the person. */
  where: string;
  problem: string;
  reason?: BrokenReason;
  /** How the row begins. */
  excerpt?: string;
  /** What to do where most rows are broken so, where the source knows better than the usual words. */
  remedy?: string;
}

/** The broken rows of a data set. */
export interface BrokenRows {
  count: number;
  /** The first ones, to show. */
  first: BrokenRow[];
  /** How many there are of each reason. */
  reasons: Partial<Record<BrokenReason, number>>;
}

/** Something about a source that a person should know and that breaks no row: an assumption that was made. */
export interface SourceNote {
  /** `format` is how a file is read, whether that was told or found; the others are assumptions, and warned of. */
  kind: 'delimiter' | 'columns' | 'encoding' | 'quotes' | 'ignored' | 'labels' | 'numbers' | 'format';
  message: string;
}

/** What a source yields: a sample, a broken row that is counted and shown, or a note. */
export type SourceRow = { sample: Sample } | { broken: BrokenRow } | { note: SourceNote };

/** Where samples come from. Reading streams: a source never holds the whole data set in memory. */
export interface DataSource {
  /** For people: `WordNet 3.1 noun glosses`, `train.jsonl`. */
  readonly title: string;
  /** Changes when what it would yield changes (the files' content, package version, options): part of cache keys. */
  fingerprint(): Promise<string>;
  rows(signal?: AbortSignal): AsyncIterable<SourceRow>;
  /**
   * What the data set says of its fields before its rows are read, by column: class names, the size of all images.
   *
   * @throws LimbeckError `data.class-names` where its files declare different ones.
   */
  declares?(): Promise<Readonly<Record<string, FieldDeclaration>>>;
  /**
   * Of a data set that was published once and never changes: how many rows it has for training and for testing, in this
   * order. Its samples are known by their position, which is their number everywhere, and none is another's duplicate;
   * others are known by their content.
   */
  readonly positions?: { readonly train: number; readonly test: number };
}

/** The class names that a data set declares for a column, in the order of their numbers. */
export interface DeclaredClasses {
  readonly names: readonly string[];
  /** What declares them, for people: `README.md`, the file with the rows. */
  readonly where: string;
}

/** What a source says of a field before its rows are read. */
export interface FieldDeclaration {
  /** The classes of a column with class numbers or names. */
  readonly classes?: DeclaredClasses;
  /** How boxes are written: what four numbers are, and what they are counted in. */
  readonly boxes?: { readonly format: 'xywh' | 'xyxy' | 'cxcywh'; readonly unit: 'relative' | 'pixels' };
  /** [channels, height, width] of images that have all one size. */
  readonly dims?: readonly [number, number, number];
  /** Of sounds that have all one, in samples a second. */
  readonly sampleRate?: number;
}
