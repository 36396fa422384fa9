import type { Tensor } from '../../onnx/tensor.ts';
import { numbersIn } from '../../platform/bytes.ts';
import { createSha256 } from '../../platform/hash.ts';
import { type Batch, columnOf, SAMPLE_KEY_BYTES } from '../batch.ts';
import { ROW_WEIGHTS } from '../columns.ts';
import type { View } from '../modalities/modality.ts';
import type { Example, Split } from '../split.ts';
import { emptyColumns, outputCopies, partWeights, type RecordColumns } from './batch-columns.ts';
import { INPUT_HEAD, inputBit, outputBit, PRESENT_AT, type RecordLayout, SHOWN_AT } from './record-layout.ts';
import { type BucketFile, RecordReader } from './record-reader.ts';
import { readShown, type ShownEntry } from './shown-file.ts';

/** Where a split lies, and how its records are read. */
export interface RecordFiles extends RecordColumns {
  /** Of the split: `train`. */
  readonly name: string;
  readonly buckets: readonly BucketFile[];
  readonly shownPath: string;
  /** The classes of the main output, where it is a class. */
  readonly classes: readonly string[] | undefined;
}

/** The variants of each sample that training takes in turn. */
export interface Views {
  readonly count: number;
  readonly seed: number;
  /** What the recipe says of variations. */
  readonly options: unknown;
}

/**
 * A split that lies in one file for each bucket, and reads a batch by random access. In `views` it has several variants of
 * every sample: of a bucket of n samples, positions n and on are the samples again in their second variant, and so on.
 */
export class RecordSplit implements Split {
  readonly name: string;
  readonly size: number;
  /** Samples on disk, whatever the number of their views. */
  readonly samples: number;
  readonly buckets: readonly { readonly size: number; readonly length?: number }[];
  readonly #files: RecordFiles;
  readonly #views: Views | undefined;
  /** The position in the split at which each bucket begins. */
  readonly #starts: number[] = [];
  readonly #reader = new RecordReader();

  constructor(files: RecordFiles, views?: Views) {
    this.#files = files;
    this.#views = views;
    this.name = files.name;
    const count = views?.count ?? 1;
    this.buckets = files.buckets.map(({ size, layout }) => ({
      size: size * count,
      ...(files.axis && { length: layout.length }),
    }));
    let start = 0;
    for (const { size } of this.buckets) {
      this.#starts.push(start);
      start += size;
    }
    this.size = start;
    this.samples = start / count;
  }

  /** The name of the axis that buckets have different lengths on. */
  get axis(): string | undefined {
    return this.#files.axis;
  }

  /** The same samples in variants. */
  withViews(views: Views): RecordSplit {
    return new RecordSplit(this.#files, views);
  }

  /** Bytes that reading it keeps in memory. */
  get heldBytes(): number {
    return this.#files.buckets.reduce(
      (sum, { held, size, layout }) => sum + (held ? size * layout.bytes : 0),
      0,
    );
  }

  readBatch(bucket: number, indices: ArrayLike<number>, rows: number): Batch {
    const file = this.#bucket(bucket);
    const filled = indices.length;
    if (filled > rows) throw new Error(`${filled} samples do not fit a batch of ${rows}`);
    const { size } = this.buckets[bucket] as { size: number };
    const positions = Array.from(indices, (index) => {
      if (!(index >= 0 && index < size)) throw new Error(`sample ${index} is not in the bucket of ${size}`);
      return index % file.size;
    });
    const records = this.#reader.records(file, positions);
    const start = this.#starts[bucket] as number;
    const { axis } = this.#files;
    const sizes = { batch: rows, ...(axis && { [axis]: file.layout.length }) };
    const columns = emptyColumns(this.#files, file.layout, rows);
    const copies = outputCopies(this.#files, file.layout, columns);
    const keys = new Uint8Array(filled * SAMPLE_KEY_BYTES);
    const ordinals = new Uint32Array(filled);
    for (let row = 0; row < filled; row++) {
      const record = records.subarray(row * file.layout.bytes, (row + 1) * file.layout.bytes);
      const index = indices[row] as number;
      ordinals[row] = start + index;
      const present = presentIn(record);
      const inputs = this.#inputsOf(record, present, bucket, index);
      keys.set(this.#keyOf(record, present, inputs, file.layout), row * SAMPLE_KEY_BYTES);
      this.#decodeInputs(inputs, columns, row, sizes);
      for (const copy of copies) copy(record, present, row);
      this.#writeLive(columns, present, row, bucket, index);
    }
    (columnOf({ columns }, ROW_WEIGHTS).data as Float32Array).fill(1, 0, filled);
    for (let row = filled; row < rows; row++) this.#decodeInputs([], columns, row, sizes);
    return { rows, filled, keys, ordinals, sizes, columns };
  }

  example(ordinal: number): Example {
    const { record, bucket, index } = this.#find(ordinal);
    const { shown } = this.#readShown(record);
    const inputs = this.#inputsOf(record, presentIn(record), bucket, index);
    const examples = this.#files.inputs.flatMap(({ processor }, i) => {
      const bytes = inputs[i];
      return bytes ? [processor.example(bytes, shown[i] as Uint8Array)] : [];
    });
    const text = examples
      .map((one) => one.text)
      .filter((one) => one !== '')
      .join(' · ');
    return Object.assign({}, ...examples, { text: text || this.#describe(record, bucket, index) });
  }

  /** The text of a sample whose first input is one, by its position in the split (`Batch.ordinals`). */
  text(ordinal: number): string {
    const { record } = this.#find(ordinal);
    const [input] = this.#files.inputs;
    const bytes = this.#inputsOf(record, presentIn(record), 0, 0, false)[0] ?? new Uint8Array();
    return input?.processor.example(bytes, this.#readShown(record).shown[0] as Uint8Array).text ?? '';
  }

  /** The id that the source gave it, or the hash of its content. */
  id(ordinal: number): string {
    return this.#readShown(this.#find(ordinal).record).id;
  }

  /** What was kept aside of an input of a sample; empty where there is nothing. */
  shown(ordinal: number, input = 0): Uint8Array {
    return this.#readShown(this.#find(ordinal).record).shown[input] as Uint8Array;
  }

  /** The kept bytes of an input of a sample, in its view; undefined where the sample has none. */
  bytes(ordinal: number, input = 0): Uint8Array | undefined {
    const { record, bucket, index } = this.#find(ordinal);
    const bytes = this.#inputsOf(record, presentIn(record), bucket, index)[input];
    return bytes && Uint8Array.from(bytes);
  }

  close(): void {
    this.#reader.close();
  }

  /** `train 17: Coat`, for samples that have nothing to read. */
  #describe(record: Uint8Array, bucket: number, index: number): string {
    const { buckets, classes } = this.#files;
    const before = buckets.slice(0, bucket).reduce((sum, { size }) => sum + size, 0);
    const { size, layout } = this.#bucket(bucket);
    const name = `${this.name} ${before + (index % size) + 1}`;
    if (!classes) return name;
    const [place] = layout.outputs[0] ?? [];
    const known = (presentIn(record) & outputBit(0)) !== 0;
    const label = known && place ? classes[numbersIn(record).getInt32(place.at, true)] : undefined;
    return `${name}: ${label ?? 'no label'}`;
  }

  #find(ordinal: number): { record: Uint8Array; bucket: number; index: number } {
    if (!(ordinal >= 0 && ordinal < this.size))
      throw new Error(`no sample ${ordinal} in a split of ${this.size}`);
    let bucket = this.buckets.length - 1;
    while ((this.#starts[bucket] as number) > ordinal) bucket--;
    const file = this.#bucket(bucket);
    const index = ordinal - (this.#starts[bucket] as number);
    return { record: this.#reader.record(file, index % file.size), bucket, index };
  }

  #readShown(record: Uint8Array): ShownEntry {
    const { shownPath, inputs } = this.#files;
    const at = numbersIn(record).getFloat64(SHOWN_AT, true);
    return readShown(this.#reader.descriptor(shownPath), at, inputs.length, shownPath);
  }

  /** The bytes of each input of a record, in the view of a position; undefined where the sample has none. */
  #inputsOf(
    record: Uint8Array,
    present: number,
    bucket: number,
    index: number,
    varied = true,
  ): (Uint8Array | undefined)[] {
    const { layout } = this.#bucket(bucket);
    const views = varied ? this.#views : undefined;
    return layout.inputs.map(({ at }, i) => {
      if ((present & inputBit(i)) === 0) return undefined;
      const bytes = record.subarray(at + INPUT_HEAD, at + INPUT_HEAD + uint32In(record, at));
      const { processor } = this.#files.inputs[i] as RecordFiles['inputs'][0];
      return views && processor.vary ? processor.vary(bytes, this.#viewOf(views, bucket, index)) : bytes;
    });
  }

  #viewOf({ count, seed, options }: Views, bucket: number, index: number): View {
    const { size } = this.#bucket(bucket);
    return {
      seed,
      options,
      sample: (this.#starts[bucket] as number) / count + (index % size),
      view: Math.floor(index / size),
    };
  }

  /** Fills the columns that lie in no file, as the row's image is moved. */
  #writeLive(
    columns: Readonly<Record<string, Tensor>>,
    present: number,
    row: number,
    bucket: number,
    index: number,
  ): void {
    const { inputs, outputs } = this.#files;
    for (const [i, { live }] of outputs.entries()) {
      if (!live || (present & outputBit(i)) === 0) continue;
      const image = inputs.find(({ processor }, k) => processor.movement && (present & inputBit(k)) !== 0);
      const movement = this.#views && image?.processor.movement?.(this.#viewOf(this.#views, bucket, index));
      live.write(columns, row, movement);
    }
  }

  /** The sample's key; with another truth that models read, a sample is another one. */
  #keyOf(
    record: Uint8Array,
    present: number,
    inputs: readonly (Uint8Array | undefined)[],
    { outputs }: RecordLayout,
  ): Uint8Array {
    const key = this.#variantKey(record, inputs);
    const read = outputs.flatMap((places, i) =>
      places.filter(({ spec }) => spec.role === 'input' && (present & outputBit(i)) !== 0),
    );
    if (read.length === 0) return key;
    const hash = createSha256().update(key);
    for (const { at, bytes } of read) hash.update(record.subarray(at, at + bytes));
    return hash.digest().subarray(0, SAMPLE_KEY_BYTES);
  }

  /** The key of a sample in its variant; one that differs from the sample is a sample of its own. */
  #variantKey(record: Uint8Array, inputs: readonly (Uint8Array | undefined)[]): Uint8Array {
    const key = record.subarray(0, SAMPLE_KEY_BYTES);
    const varies = ({ processor }: RecordFiles['inputs'][0]) => processor.vary !== undefined;
    if (!this.#views || !this.#files.inputs.some(varies)) return key;
    const [first] = inputs;
    const hash = createSha256();
    if (inputs.length === 1 && first) return hash.update(first).digest().subarray(0, SAMPLE_KEY_BYTES);
    hash.update(key);
    for (const [i, input] of this.#files.inputs.entries())
      if (varies(input)) hash.update(inputs[i] ?? new Uint8Array());
    return hash.digest().subarray(0, SAMPLE_KEY_BYTES);
  }

  #decodeInputs(
    bytes: readonly (Uint8Array | undefined)[],
    columns: Readonly<Record<string, Tensor>>,
    row: number,
    sizes: Readonly<Record<string, number>>,
  ): void {
    const { inputs } = this.#files;
    for (const [i, { name, processor }] of inputs.entries()) {
      const own = bytes[i];
      if (own) processor.decode(own, columns, row, sizes);
      else processor.blank?.(columns, row, sizes);
      if (own && inputs.length > 1) partWeights(columns, name)[row] = 1;
    }
  }

  #bucket(bucket: number): BucketFile {
    const file = this.#files.buckets[bucket];
    if (!file) throw new Error(`no bucket ${bucket} in split ${this.name}`);
    return file;
  }
}

/** The bits of what a record has. */
function presentIn(record: Uint8Array): number {
  return uint32In(record, PRESENT_AT);
}

/** A number of a record, little-endian: there are several a row, and a view for each would take longer than they do. */
function uint32In(record: Uint8Array, at: number): number {
  return (
    ((record[at] as number) |
      ((record[at + 1] as number) << 8) |
      ((record[at + 2] as number) << 16) |
      ((record[at + 3] as number) << 24)) >>>
    0
  );
}
