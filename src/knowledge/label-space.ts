import type { TokenSpans } from '../data/batch.ts';
import { SAMPLE_KEY_BYTES } from '../data/batch.ts';
import { SEQUENCE } from '../data/columns.ts';
import { LimbeckError } from '../errors.ts';
import { elementCount } from '../onnx/tensor.ts';
import { hexOf } from '../platform/bytes.ts';
import type { KeyValueFile } from './key-value-file.ts';
import type { LabelEncoding } from './label-encoding.ts';
import { openKeyValueFile } from './open-key-value-file.ts';
import { LengthRecordCodec, RecordCodec, type SizedAnswer } from './record.ts';
import { SparseRecordCodec } from './sparse-record.ts';
import { TrimmedRecordCodec } from './trimmed-record.ts';
import { type AnswerDims, dimsAt, hasLength, writePadded } from './true-length.ts';

type Codec = RecordCodec | LengthRecordCodec | SparseRecordCodec | TrimmedRecordCodec;

/** What a space holds: one tap of one teacher, over samples prepared in one way. */
export interface SpaceInfo {
  /** 32 hex digits: the hash of all that follows but for title and time; the name of its folder. */
  readonly id: string;
  /** The teacher, for people. */
  readonly title: string;
  /** The teacher's hash. */
  readonly teacher: string;
  readonly tap: string;
  readonly preprocessing: string;
  /** The shape per sample; `sequence` stands for the sample's own length. */
  readonly dims: AnswerDims;
  readonly encoding: LabelEncoding;
  /** ISO 8601. */
  readonly created: string;
}

/** A record's key, and whether its checksum held. */
export interface CheckedRecord {
  key: Uint8Array;
  sound: boolean;
}

/**
 * The labels of one tap: a record per sample, under the sample's key (SAMPLE_KEY_BYTES bytes). Keys of several
 * samples are given one after another in one array, as in `Batch.keys`. Several processes may use it at once.
 *
 * Where the length of a text is part of the shape, a record has the text's own length, and is padded when it is read.
 */
export class LabelSpace {
  readonly info: SpaceInfo;
  /** The number of values per sample; undefined where it depends on the sample's length. */
  readonly elements: number | undefined;
  readonly #folder: string;
  readonly #file: KeyValueFile;
  readonly #codec: Codec;
  #closed = false;

  /** Use `KnowledgeStore.space`. */
  constructor(info: SpaceInfo, folder: string, mode: 'write' | 'read' = 'write') {
    this.info = info;
    this.elements = hasLength(info.dims) ? undefined : elementCount(info.dims as number[]);
    this.#folder = folder;
    this.#file = openKeyValueFile(folder, mode);
    this.#codec = codecOf(info, this.elements);
  }

  /** The number of samples that have a label. */
  get count(): number {
    return this.#file.count;
  }

  has(key: Uint8Array): boolean {
    return this.#file.has(key);
  }

  /** The positions of the samples without a label, in order. */
  missing(keys: Uint8Array): number[] {
    const positions: number[] = [];
    for (let i = 0; i < sampleCount(keys); i++) if (!this.has(keyAt(keys, i))) positions.push(i);
    return positions;
  }

  /**
   * Keeps the labels of some samples, in one transaction: all of them or, when it throws, none. A label that is there
   * already is replaced. When the promise resolves, the labels are on the disk.
   *
   * @param keys [n, SAMPLE_KEY_BYTES]
   * @param rows [n, elements], or the n answers of true length
   * @throws LimbeckError `store.range` for a value that the encoding cannot hold, `store.disk-full`, `store.failed`.
   */
  async put(keys: Uint8Array, rows: Float32Array | readonly SizedAnswer[]): Promise<void> {
    const count = sampleCount(keys);
    // Encoded before the transaction, so that the lock that processes share is held for the writing alone.
    const records = Array.from({ length: count }, (_, i) => {
      const key = keyAt(keys, i);
      const { record, values } = this.#encode(key, rows, i, count);
      if (typeof record === 'number') throw this.#rangeError(key, values, record);
      return record;
    });
    this.#file.put(
      records.map((_, i) => keyAt(keys, i)),
      records,
    );
  }

  #encode(
    key: Uint8Array,
    rows: Float32Array | readonly SizedAnswer[],
    i: number,
    count: number,
  ): { record: Uint8Array | number; values: Float32Array } {
    const codec = this.#codec;
    if (!(codec instanceof RecordCodec)) {
      if (rows instanceof Float32Array || rows.length !== count)
        throw new Error(`${count} labels of true length are wanted`);
      const answer = rows[i] as SizedAnswer;
      return { record: codec.encode(key, answer), values: answer.values };
    }
    const { elements } = codec;
    if (!(rows instanceof Float32Array) || rows.length !== count * elements)
      throw new Error(`${count} labels of ${elements} values are not ${rows.length} values`);
    const values = rows.subarray(i * elements, (i + 1) * elements);
    return { record: codec.encode(key, values), values };
  }

  #rangeError(key: Uint8Array, values: Float32Array, at: number): LimbeckError {
    return new LimbeckError(
      'store.range',
      this.info.encoding === 'float16-centred'
        ? `the teacher's ${this.info.tap} has the value ${values[at]}, which is further from the mean of its sample than float16 can hold`
        : `the teacher's ${this.info.tap} has the value ${values[at]}, which float16 cannot hold`,
      {
        where: `value ${at} of sample ${hex(key)}`,
        remedy:
          'Scale the model down so that its outputs stay within 65,504 (the last layer of a teacher is enough).',
      },
    );
  }

  /**
   * Reads the labels of some samples.
   *
   * @param keys [n, SAMPLE_KEY_BYTES]
   * @param into written from its start: [n, elements]; of answers of true length [n, ...dims at the padded length], zeros
   *   before
   * @param spans where the samples' tokens lie, for answers of true length
   * @throws LimbeckError `store.missing`, `store.damaged`.
   */
  read(keys: Uint8Array, into: Float32Array, spans?: TokenSpans): void {
    const count = sampleCount(keys);
    const elements = this.elements ?? elementCount(dimsAt(this.info.dims, this.#spansOf(spans).padded));
    if (into.length < count * elements) {
      throw new Error(`${count} labels of ${elements} values do not fit into ${into.length}`);
    }
    for (let i = 0; i < count; i++) {
      const key = keyAt(keys, i);
      const record = this.#file.get(key);
      if (!record) throw this.#missingError(keys);
      const row = into.subarray(i * elements, (i + 1) * elements);
      if (!this.#decode(key, record, row, i, spans)) {
        throw this.#damagedError(key);
      }
    }
  }

  /**
   * The answers of some samples as they were kept, each of its own length: for what is no answer about a sample's own tokens.
   *
   * @param keys [n, SAMPLE_KEY_BYTES]
   * @throws LimbeckError `store.missing`, `store.damaged`.
   */
  sized(keys: Uint8Array): SizedAnswer[] {
    const codec = this.#codec;
    if (codec instanceof RecordCodec) throw new Error(`${this.info.tap} has answers of one length`);
    return Array.from({ length: sampleCount(keys) }, (_, i) => {
      const key = keyAt(keys, i);
      const record = this.#file.get(key);
      if (!record) throw this.#missingError(keys);
      const answer = codec.decode(key, record);
      if (!answer) throw this.#damagedError(key);
      return answer;
    });
  }

  /** Writes a record's values; false when it is damaged, or of another length than the sample. */
  #decode(key: Uint8Array, record: Uint8Array, into: Float32Array, i: number, spans?: TokenSpans): boolean {
    const codec = this.#codec;
    if (codec instanceof RecordCodec) return codec.decode(key, record, into, 0);
    const { padded, starts, lengths } = this.#spansOf(spans);
    const answer = codec.decode(key, record);
    if (!answer || answer.length !== lengths[i]) return false;
    const span = { padded, start: starts[i] as number, length: answer.length };
    writePadded(answer.values, this.info.dims, span, into);
    return true;
  }

  #spansOf(spans: TokenSpans | undefined): TokenSpans {
    if (!spans) throw new Error(`${this.info.tap} has answers of true length: where do the tokens lie?`);
    return spans;
  }

  /** Checks up to `limit` records after the key `after`, in the order of keys. */
  check(after: Uint8Array | undefined, limit: number): CheckedRecord[] {
    return this.#file.entries(after, limit).map(({ key, record }) => ({
      key,
      sound: key.length === SAMPLE_KEY_BYTES && this.#codec.isSound(key, record),
    }));
  }

  /** Drops the labels of some samples. */
  async remove(keys: readonly Uint8Array[]): Promise<void> {
    this.#file.remove(keys);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close();
  }

  #damagedError(key: Uint8Array): LimbeckError {
    return new LimbeckError('store.damaged', 'a label in the knowledge store fails its checksum', {
      where: `sample ${hex(key)}, ${this.info.tap} of ${this.info.title}, in ${this.#folder}`,
      remedy: 'Run `limbeck store verify --repair`; the next run labels what it drops.',
    });
  }

  #missingError(keys: Uint8Array): LimbeckError {
    const missing = this.missing(keys);
    return new LimbeckError(
      'store.missing',
      `${missing.length} of ${sampleCount(keys)} samples have no label of ${this.info.title} yet`,
      {
        where: `${this.info.tap}, first sample ${hex(keyAt(keys, missing[0] ?? 0))}, in ${this.#folder}`,
        remedy:
          'Label the data first: `limbeck label` with the recipe (`limbeck distill` does it by itself).',
      },
    );
  }
}

function codecOf({ dims, encoding, tap }: SpaceInfo, elements: number | undefined): Codec {
  if (encoding === 'sparse' || encoding === 'float16-trimmed') {
    const width = dims.length === 2 && dims[0] === SEQUENCE ? dims[1] : undefined;
    if (typeof width !== 'number') throw new Error(`${tap} is not kept for each token`);
    return encoding === 'sparse' ? new SparseRecordCodec(width) : new TrimmedRecordCodec(width);
  }
  return elements === undefined
    ? new LengthRecordCodec((length) => elementCount(dimsAt(dims, length)), encoding)
    : new RecordCodec(elements, encoding);
}

/** How many keys there are in an array of keys. */
export function sampleCount(keys: Uint8Array): number {
  if (keys.length % SAMPLE_KEY_BYTES !== 0) {
    throw new Error(`${keys.length} bytes are no whole number of sample keys`);
  }
  return keys.length / SAMPLE_KEY_BYTES;
}

/** The key at position `i`, as a view. */
export function keyAt(keys: Uint8Array, i: number): Uint8Array {
  return keys.subarray(i * SAMPLE_KEY_BYTES, (i + 1) * SAMPLE_KEY_BYTES);
}

function hex(key: Uint8Array): string {
  return hexOf(key);
}
