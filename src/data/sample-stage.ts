import * as fs from '../platform/files.ts';
import { join } from '../platform/paths.ts';
import { openRegularFile } from '../regular-file.ts';
import { AppendingFile } from './appending-file.ts';
import { SAMPLE_KEY_BYTES } from './batch.ts';
import { Column } from './column.ts';
import { hashOfKey } from './hash-of-key.ts';
import { type RecordLayout, TEXT_OFFSET_AT, TOKENS_AT, writeRecord } from './token-record.ts';
import { readText, textEntry } from './token-split.ts';

/** A tokenized sample on its way to the stage. */
export interface StagedSample {
  id: string;
  text: string;
  key: Uint8Array;
  /** -1 where there is none. */
  label: number;
  groupHash: number;
  split: number;
  ids: readonly number[];
}

const BLOCK_KEYS = 256;

/**
 * Where samples wait, in the order of the source, until the last one is read and splits can be chosen: their keys
 * and token records in files (one for each bucket), their texts in the file that stays. In memory it holds 10 bytes
 * for each sample: group hash 4, label 4, split 1, bucket 1.
 */
export class SampleStage {
  readonly layouts: readonly RecordLayout[];
  readonly #padId: number;
  readonly #keys: AppendingFile;
  readonly #records: AppendingFile[];
  readonly #texts: AppendingFile;
  readonly #groupHashes = new Column((length) => new Uint32Array(length));
  readonly #labels = new Column((length) => new Int32Array(length));
  readonly #splits = new Column((length) => new Uint8Array(length));
  readonly #buckets = new Column((length) => new Uint8Array(length));
  readonly #scratch: Buffer;
  #keysDescriptor: number | undefined;
  readonly #block = Buffer.alloc(BLOCK_KEYS * SAMPLE_KEY_BYTES);
  #blockAt = -1;

  constructor(folder: string, layouts: readonly RecordLayout[], padId: number) {
    this.layouts = layouts;
    this.#padId = padId;
    this.#keys = new AppendingFile(join(folder, 'stage.keys'));
    this.#records = layouts.map(({ length }) => new AppendingFile(join(folder, `stage.${length}`)));
    this.#texts = new AppendingFile(join(folder, 'texts'));
    this.#scratch = Buffer.alloc((layouts.at(-1) as RecordLayout).bytes);
  }

  get size(): number {
    return this.#labels.length;
  }

  add(sample: StagedSample): void {
    const bucket = this.layouts.findIndex(({ length }) => sample.ids.length <= length);
    const layout = this.layouts[bucket] as RecordLayout;
    const record = this.#scratch.subarray(0, layout.bytes);
    writeRecord(record, layout, sample.key, sample.label, this.#texts.length, sample.ids, this.#padId);
    (this.#records[bucket] as AppendingFile).append(record);
    this.#keys.append(sample.key);
    this.#texts.append(textEntry(sample.id, sample.text));
    this.#groupHashes.push(sample.groupHash);
    this.#labels.push(sample.label);
    this.#splits.push(sample.split);
    this.#buckets.push(bucket);
  }

  /** Ends the adding; from then on samples can be read. Returns the size and checksum of the texts file. */
  finishAdding(): { bytes: number; sha256: string } {
    for (const file of [this.#keys, ...this.#records]) file.finish();
    this.#keysDescriptor = openRegularFile(this.#keys.path);
    return this.#texts.finish();
  }

  groupHash(sample: number): number {
    return this.#groupHashes.get(sample);
  }

  label(sample: number): number {
    return this.#labels.get(sample);
  }

  split(sample: number): number {
    return this.#splits.get(sample);
  }

  assign(sample: number, split: number): void {
    this.#splits.set(sample, split);
  }

  /** The key of a sample, in a buffer that the next call may overwrite. */
  key(sample: number): Uint8Array {
    const block = Math.floor(sample / BLOCK_KEYS);
    if (block !== this.#blockAt) {
      const at = block * this.#block.length;
      fs.readSync(this.#keysDescriptor as number, this.#block, 0, this.#block.length, at);
      this.#blockAt = block;
    }
    const from = (sample % BLOCK_KEYS) * SAMPLE_KEY_BYTES;
    return this.#block.subarray(from, from + SAMPLE_KEY_BYTES);
  }

  textHash(sample: number): number {
    return hashOfKey(this.key(sample), 0);
  }

  /** All samples in the order of the source, with their records in a buffer that the next step overwrites. */
  *records(): Generator<{ sample: number; bucket: number; record: Buffer; tokens: number }> {
    const readers = this.layouts.map(
      (layout, bucket) => new RecordReader((this.#records[bucket] as AppendingFile).path, layout.bytes),
    );
    try {
      for (let sample = 0; sample < this.size; sample++) {
        const bucket = this.#buckets.get(sample);
        const record = (readers[bucket] as RecordReader).next();
        yield { sample, bucket, record, tokens: record.readUInt32LE(TOKENS_AT) };
      }
    } finally {
      for (const reader of readers) reader.close();
    }
  }

  /** The ids that the source gave some samples. */
  ids(samples: readonly number[]): Map<number, string> {
    const wanted = new Set(samples);
    const ids = new Map<number, string>();
    if (wanted.size === 0) return ids;
    const texts = openRegularFile(this.#texts.path);
    try {
      for (const { sample, record } of this.records()) {
        if (!wanted.has(sample)) continue;
        ids.set(sample, readText(texts, record.readDoubleLE(TEXT_OFFSET_AT), this.#texts.path).id);
        if (ids.size === wanted.size) break;
      }
    } finally {
      fs.closeSync(texts);
    }
    return ids;
  }

  /** Closes and deletes the files that only the stage needs. */
  discard(): void {
    this.close();
    for (const { path } of [this.#keys, ...this.#records]) fs.rmSync(path, { force: true });
  }

  close(): void {
    for (const file of [this.#keys, this.#texts, ...this.#records]) file.close();
    if (this.#keysDescriptor !== undefined) fs.closeSync(this.#keysDescriptor);
    this.#keysDescriptor = undefined;
  }
}

/** Reads records from front to back, some hundred at a time. */
class RecordReader {
  readonly #descriptor: number;
  readonly #bytes: number;
  readonly #buffer: Buffer;
  #position = 0;
  #at = 0;
  #end = 0;

  constructor(path: string, bytes: number) {
    this.#descriptor = openRegularFile(path);
    this.#bytes = bytes;
    this.#buffer = Buffer.alloc(bytes * 256);
  }

  next(): Buffer {
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
