import type { z } from 'zod';
import type { Tensor } from '../../onnx/tensor.ts';
import type { ColumnSpec } from '../columns.ts';
import type { FieldDeclaration } from '../sample.ts';
import type { Example } from '../split.ts';
import type { Preprocessing } from './image/preprocessing.ts';
import type { Tokenizer } from './text/tokenizer/tokenizer.ts';

/**
 * A kind of input (text, image, audio): how a raw value becomes columns of a batch. A new one is a file and a line in the
 * registry (`index.ts`).
 */
export interface Modality<Kind extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  readonly kind: Kind;
  /** Whether raw values are files: strings and `{ path }` come to `encode` as `{ path }`, absolute, that may be read. */
  readonly readsFiles?: boolean;
  /** The options beside `modality` and `field` in a recipe's `inputs`. No file is opened by it. */
  readonly options: Schema;
  /** @throws LimbeckError where an option cannot be met: `data.options`, `data.missing` */
  open(options: z.output<Schema>, context: ModalityContext): Promise<Processor> | Processor;
}

/** What a modality may know of the data set and use of the world. */
export interface ModalityContext {
  /** The name of the input in the recipe, for errors (`inputs.NAME.size`). */
  readonly input: string;
  /** What the source declares of the field: the size of images that have all one. */
  readonly declared?: FieldDeclaration | undefined;
  /** The columns of the rows that it is read from, for messages; several are one value, a list: the texts of a pair. */
  readonly fields: readonly string[];
  /** In tokens; longer texts are cut (`data.maxLength`). */
  readonly maxLength: number;
  /** The lengths in tokens that texts are padded to (`data.buckets`), ascending to maxLength. */
  readonly buckets: readonly number[];
  /** The absolute path of a path in the recipe. @throws LimbeckError outside the allowed folders */
  resolvePath(path: string): string;
  /** How teachers want their images, where they say so: the first of another size than the student's are kept beside its own. */
  readonly teacherImages?: readonly Preprocessing[] | undefined;
  /** The tokenizer of the run: the teacher's, or one that the recipe names. */
  readonly tokenizer?: Tokenizer | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Encodes raw values for disk, and fills columns from what lies there. Stateless: what is counted is told by `Encoded`. */
export interface Processor {
  /** All that an encoded sample depends on besides the raw value: part of the data set's fingerprint. */
  readonly hash: string;
  /**
   * The columns that a model is fed, role `input`; a dimension that differs by bucket has the name of `axis` (`sequence`).
   */
  readonly columns: readonly ColumnSpec[];
  /** What a backbone has to know in order to read the columns: the size of the vocabulary, of the images. */
  readonly forBackbones: Readonly<Record<string, unknown>>;
  /** The axis on which samples have different lengths and are put in buckets; absent where all have one shape. */
  readonly axis?: BucketAxis;
  /**
   * Bytes that a sample of a bucket takes on disk, at most.
   *
   * @param length the bucket's length on `axis`; 0 without one
   */
  bytesFor(length: number): number;
  /**
   * The kept form of a raw value, which comes from outside: any type, any size.
   *
   * @throws BrokenValue for one that cannot be used
   */
  encode(raw: unknown): Encoded | Promise<Encoded>;
  /**
   * Begins a measurement of the kept bytes of training samples that `decode` depends on (mean and deviation of the
   * channels); absent where it depends on nothing.
   */
  measure?(): Measurement;
  /** The processor that decodes by what was measured, which was kept as JSON. */
  measured?(result: unknown): Processor;
  /** A variant of kept bytes for training, in the same form: a function of the bytes and `view` alone. */
  vary?(bytes: Uint8Array, view: View): Uint8Array;
  /** Where `vary` moves what is in an image; absent where it moves nothing. */
  movement?(view: View): Movement;
  /**
   * Fills row `row` of the batch's columns. All columns are zero or `pad` before; for a sample without this input nothing
   * is called but `blank`.
   *
   * @param columns by name, each [rows, ...shape]
   */
  decode(
    bytes: Uint8Array,
    columns: Readonly<Record<string, Tensor>>,
    row: number,
    sizes: Readonly<Record<string, number>>,
  ): void;
  /** Fills a row without a sample, where zeros and padding alone would divide by nothing (a mask needs one token). */
  blank?(
    columns: Readonly<Record<string, Tensor>>,
    row: number,
    sizes: Readonly<Record<string, number>>,
  ): void;
  /** Whether parts of raw images are cut off: what has a place in an image is then at another one, or gone. */
  readonly cutsOff?: boolean;
  /** A mixture of two samples' kept bytes, `part` of the first (MixUp); absent where that has no meaning. */
  mix?(a: Uint8Array, b: Uint8Array, part: number): Uint8Array;
  /** What a person is shown of kept bytes. @param shown `Encoded.shown` */
  example(bytes: Uint8Array, shown: Uint8Array): Example;
  /** Files that a shipped student needs to prepare its input: `tokenizer.json`, `preprocessor_config.json`. */
  files(): Readonly<Record<string, Uint8Array>>;
}

/** Lengths that samples are padded to. */
export interface BucketAxis {
  /** The symbolic dimension in the columns' shapes: `sequence`. */
  readonly name: string;
  /** For people, in the plural: `tokens`. */
  readonly unit: string;
  /** Ascending; the last is the longest that a sample may have. */
  readonly buckets: readonly number[];
}

/** What is kept of a raw value. */
export interface Encoded {
  /** At most `bytesFor` the bucket of `length`. */
  readonly bytes: Uint8Array;
  /** On the processor's axis, after cutting. */
  readonly length?: number;
  /** On the same axis before cutting, where that was more. */
  readonly wholeLength?: number;
  /** What the sample is known by, hashed: equal contents are one sample. `bytes` when absent. */
  readonly content?: Uint8Array | string;
  /** Of an image, its width and height before it was resized, upright: what boxes in pixels are counted in. */
  readonly size?: readonly [width: number, height: number];
  /** Kept aside for people, and never read for a batch: the text, the path of the image. Empty when absent. */
  readonly shown?: Uint8Array | string;
  /** Counted over the rows, with the place of the first that has each: `{ unknown: 2 }`, `{ resampled: 1 }`. */
  readonly facts?: Readonly<Record<string, number>>;
}

/** A running measurement over training samples. */
export interface Measurement {
  add(bytes: Uint8Array): void;
  /** JSON, for `Processor.measured`. */
  result(): unknown;
}

/** One of the variants in which training sees a sample; 0 is a variant like the others. */
export interface View {
  readonly seed: number;
  /** The sample's position in its split. */
  readonly sample: number;
  readonly view: number;
  /** What the recipe says of variations (`data.augmentation`), for the modality to read. */
  readonly options: unknown;
}

/**
 * Where a variant shows what was at (x, y), both as parts of width and height: at
 * (across[0] x + across[1] y + across[2], down[0] x + down[1] y + down[2]).
 */
export interface Movement {
  readonly across: readonly [number, number, number];
  readonly down: readonly [number, number, number];
}

/** Lets `open` be typed by the schema beside it. */
export function defineModality<Kind extends string, Schema extends z.ZodObject>(
  modality: Modality<Kind, Schema>,
): Modality<Kind, Schema> {
  return modality;
}
