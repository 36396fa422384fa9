import { crc32 } from '../../crc32.ts';
import { numbersIn } from '../../platform/bytes.ts';
import * as fs from '../../platform/files.ts';
import { join } from '../../platform/paths.ts';
import { openRegularFile } from '../../regular-file.ts';
import { SAMPLE_KEY_BYTES } from '../batch.ts';
import type { Encoded } from '../modalities/modality.ts';
import { hashOfKey } from '../splits/hash-of-key.ts';
import { AppendingFile } from './appending-file.ts';
import { Column } from './column.ts';
import { INPUT_HEAD, inputBit, outputBit, PRESENT_AT, type RecordLayout, SHOWN_AT } from './record-layout.ts';
import { readShown, shownEntry } from './shown-file.ts';
import { StagedValueReader, stagedValue } from './staged-values.ts';

/** A sample on its way to the stage. */
export interface StagedSample {
  readonly id: string;
  readonly key: Uint8Array;
  /** Of each input; undefined where the sample has none. */
  readonly inputs: readonly (Encoded | undefined)[];
  /** Of each output; undefined where the sample has none. */
  readonly outputs: readonly unknown[];
  /** The number of the main output's stratum; -1 where no output has a value, NO_CLASS where only others have one. */
  readonly label: number;
  readonly groupHash: number;
  readonly split: number;
}

/** The label of a sample whose main output has no value, and whose others have. */
export const NO_CLASS = -2;

/** A staged sample as it is read again; its record lies in a buffer that the next step overwrites. */
export interface StagedRecord {
  readonly sample: number;
  readonly bucket: number;
  readonly record: Uint8Array;
  readonly outputs: readonly unknown[];
}

const BLOCK_KEYS = 1024;

/** The file that lists what is shown of samples; it stays. */
export const SHOWN_FILE = 'shown';

/**
 * Where samples wait, in the order of the source, until the last one is read and splits can be chosen: their keys, their
 * records (a file for each bucket) and the values of their outputs in files, what is shown of them in the file that stays.
 * In memory it holds 10 bytes for each sample: group hash 4, label 4, split 1, bucket 1; 4 more where values are compared.
 */
export class SampleStage {
  readonly layouts: readonly RecordLayout[];
  readonly #byPosition: boolean;
  readonly #keys: AppendingFile;
  readonly #records: AppendingFile[];
  readonly #values: AppendingFile;
  readonly #shown: AppendingFile;
  readonly #outputs: number;
  readonly #groupHashes = new Column((length) => new Uint32Array(length));
  readonly #labels = new Column((length) => new Int32Array(length));
  readonly #splits = new Column((length) => new Uint8Array(length));
  readonly #buckets = new Column((length) => new Uint8Array(length));
  readonly #valueHashes: Column<Uint32Array> | undefined;
  readonly #scratch: Uint8Array;
  readonly #scratchNumbers: DataView;
  #keysDescriptor: number | undefined;
  readonly #block = new Uint8Array(BLOCK_KEYS * SAMPLE_KEY_BYTES);
  #blockAt = -1;

  /**
   * @param layouts of the inputs, by bucket: outputs follow when the last row is read
   * @param byPosition whether samples are known by their position, so that none is another's duplicate
   * @param comparesValues whether `valueHash` will be asked for
   */
  constructor(
    folder: string,
    layouts: readonly RecordLayout[],
    outputs: number,
    { byPosition, comparesValues }: { readonly byPosition: boolean; readonly comparesValues: boolean },
  ) {
    this.layouts = layouts;
    this.#byPosition = byPosition;
    this.#valueHashes = comparesValues ? new Column((length) => new Uint32Array(length)) : undefined;
    this.#outputs = outputs;
    this.#keys = new AppendingFile(join(folder, 'stage.keys'));
    this.#records = layouts.map((_, bucket) => new AppendingFile(join(folder, `stage.${bucket}`)));
    this.#values = new AppendingFile(join(folder, 'stage.values'));
    this.#shown = new AppendingFile(join(folder, SHOWN_FILE));
    this.#scratch = new Uint8Array((layouts.at(-1) as RecordLayout).bytes);
    this.#scratchNumbers = numbersIn(this.#scratch);
  }

  get size(): number {
    return this.#labels.length;
  }

  add(sample: StagedSample): void {
    const length = sample.inputs.reduce((most, input) => Math.max(most, input?.length ?? 0), 0);
    const bucket = this.layouts.findIndex((layout) => length <= layout.length);
    const layout = this.layouts[bucket];
    if (!layout) throw new Error(`a sample of length ${length} fits no bucket`);
    const record = this.#scratch.subarray(0, layout.bytes);
    writeInputs(record, this.#scratchNumbers, layout, sample, this.#shown.length);
    (this.#records[bucket] as AppendingFile).append(record);
    this.#keys.append(sample.key);
    let hash = 0;
    for (const value of sample.outputs) {
      const bytes = stagedValue(value);
      this.#values.append(bytes);
      if (this.#valueHashes) hash = crc32(bytes, hash);
    }
    this.#valueHashes?.push(hash);
    this.#shown.append(shownEntry(sample.id, sample.inputs));
    this.#groupHashes.push(sample.groupHash);
    this.#labels.push(sample.label);
    this.#splits.push(sample.split);
    this.#buckets.push(bucket);
  }

  /** Ends the adding; from then on samples can be read. Returns the size and checksum of the file that stays. */
  finishAdding(): { bytes: number; sha256: string } {
    for (const file of [this.#keys, this.#values, ...this.#records]) file.finish();
    this.#keysDescriptor = openRegularFile(this.#keys.path);
    return this.#shown.finish();
  }

  groupHash(sample: number): number {
    return this.#groupHashes.get(sample);
  }

  /** The number of the label as it was met, -1 for none, NO_CLASS for one of other outputs. */
  label(sample: number): number {
    return this.#labels.get(sample);
  }

  /** A hash of what is known of the sample, uint32; -1 where its main output has no value. */
  valueHash(sample: number): number {
    return this.label(sample) < 0 ? -1 : (this.#valueHashes?.get(sample) ?? 0);
  }

  split(sample: number): number {
    return this.#splits.get(sample);
  }

  assign(sample: number, split: number): void {
    this.#splits.set(sample, split);
  }

  /** The key of a sample, in a buffer that the next call may overwrite. */
  key(sample: number): Uint8Array {
    const from = this.#placeOfKey(sample);
    return this.#block.subarray(from, from + SAMPLE_KEY_BYTES);
  }

  /** Where in the block a sample's key lies, which is read when it is another one. */
  #placeOfKey(sample: number): number {
    const block = Math.floor(sample / BLOCK_KEYS);
    if (block !== this.#blockAt) {
      const at = block * this.#block.length;
      fs.readSync(this.#keysDescriptor as number, this.#block, 0, this.#block.length, at);
      this.#blockAt = block;
    }
    return (sample % BLOCK_KEYS) * SAMPLE_KEY_BYTES;
  }

  /** A hash of what the sample is known by. */
  identity(sample: number): number {
    return this.#byPosition ? sample : this.contentHash(sample);
  }

  contentHash(sample: number): number {
    return hashOfKey(this.#block, this.#placeOfKey(sample));
  }

  /** All samples in the order of the source. */
  *records(): Generator<StagedRecord> {
    const readers = this.layouts.map(
      (layout, bucket) => new RecordReader((this.#records[bucket] as AppendingFile).path, layout.bytes),
    );
    const values = new StagedValueReader(this.#values.path);
    try {
      for (let sample = 0; sample < this.size; sample++) {
        const bucket = this.#buckets.get(sample);
        const record = (readers[bucket] as RecordReader).next();
        yield { sample, bucket, record, outputs: this.#outputsOf(values) };
      }
    } finally {
      values.close();
      for (const reader of readers) reader.close();
    }
  }

  /** The values of all samples in the order of the source. */
  *values(): Generator<{ sample: number; outputs: unknown[] }> {
    const values = new StagedValueReader(this.#values.path);
    try {
      for (let sample = 0; sample < this.size; sample++) yield { sample, outputs: this.#outputsOf(values) };
    } finally {
      values.close();
    }
  }

  #outputsOf(values: StagedValueReader): unknown[] {
    const outputs: unknown[] = [];
    for (let output = 0; output < this.#outputs; output++) outputs.push(values.next());
    return outputs;
  }

  /** The ids of some samples. */
  ids(samples: readonly number[]): Map<number, string> {
    const wanted = new Set(samples);
    const ids = new Map<number, string>();
    if (wanted.size === 0) return ids;
    const { path } = this.#shown;
    const descriptor = openRegularFile(path);
    const inputs = (this.layouts[0] as RecordLayout).inputs.length;
    try {
      for (const { sample, record } of this.records()) {
        if (!wanted.has(sample)) continue;
        ids.set(sample, readShown(descriptor, numbersIn(record).getFloat64(SHOWN_AT, true), inputs, path).id);
        if (ids.size === wanted.size) break;
      }
    } finally {
      fs.closeSync(descriptor);
    }
    return ids;
  }

  /** Closes and deletes the files that only the stage needs. */
  discard(): void {
    this.close();
    for (const { path } of [this.#keys, this.#values, ...this.#records]) fs.rmSync(path, { force: true });
  }

  close(): void {
    for (const file of [this.#keys, this.#values, this.#shown, ...this.#records]) file.close();
    if (this.#keysDescriptor !== undefined) fs.closeSync(this.#keysDescriptor);
    this.#keysDescriptor = undefined;
  }
}

/** Writes all of a record but its outputs. */
function writeInputs(
  record: Uint8Array,
  /** Of the record, from its first byte on. */
  numbers: DataView,
  { inputs }: RecordLayout,
  sample: StagedSample,
  shownAt: number,
): void {
  record.fill(0);
  record.set(sample.key, 0);
  numbers.setFloat64(SHOWN_AT, shownAt, true);
  let present = 0;
  for (let i = 0; i < sample.inputs.length; i++) {
    const encoded = sample.inputs[i];
    if (!encoded) continue;
    const { at, most } = inputs[i] as RecordLayout['inputs'][0];
    const { bytes } = encoded;
    if (bytes.length > most) throw new Error(`an input of ${bytes.length} bytes, of ${most} at most`);
    present |= inputBit(i);
    numbers.setUint32(at, bytes.length, true);
    record.set(bytes, at + INPUT_HEAD);
  }
  for (let i = 0; i < sample.outputs.length; i++)
    if (sample.outputs[i] !== undefined) present |= outputBit(i);
  numbers.setUint32(PRESENT_AT, present >>> 0, true);
}

/** Reads records from front to back, some hundred at a time. */
class RecordReader {
  readonly #descriptor: number;
  readonly #bytes: number;
  readonly #buffer: Uint8Array;
  #position = 0;
  #at = 0;
  #end = 0;

  constructor(path: string, bytes: number) {
    this.#descriptor = openRegularFile(path);
    this.#bytes = bytes;
    this.#buffer = new Uint8Array(bytes * 256);
  }

  next(): Uint8Array {
    if (this.#at + this.#bytes > this.#end) {
      // A read of a file may be short only at its end, and files hold whole records.
      this.#end = fs.readSync(this.#descriptor, this.#buffer, 0, this.#buffer.length, this.#position);
      this.#position += this.#end;
      this.#at = 0;
    }
    this.#at += this.#bytes;
    return this.#buffer.subarray(this.#at - this.#bytes, this.#at);
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}
