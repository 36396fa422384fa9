import { SAMPLE_KEY_BYTES } from '../data/batch.ts';
import { LimbeckError } from '../errors.ts';
import { elementCount } from '../onnx/tensor.ts';
import type { LabelEncoding } from './label-encoding.ts';
import { type ByteDatabase, entryCount, openDatabase, storeError } from './lmdb-file.ts';
import { RecordCodec } from './record.ts';

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
  /** The shape per sample. */
  readonly dims: readonly number[];
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
 * samples are given one after another in one array, as in `TokenBatch.keys`. Several processes may use it at once.
 */
export class LabelSpace {
  readonly info: SpaceInfo;
  /** The number of values per sample. */
  readonly elements: number;
  readonly #folder: string;
  readonly #database: ByteDatabase;
  readonly #codec: RecordCodec;
  #closed = false;

  /** Use `KnowledgeStore.space`. */
  constructor(info: SpaceInfo, folder: string, mode: 'write' | 'read' = 'write') {
    this.info = info;
    this.elements = elementCount(info.dims);
    this.#folder = folder;
    this.#database = openDatabase(folder, mode);
    this.#codec = new RecordCodec(this.elements, info.encoding);
  }

  /** The number of samples that have a label. */
  get count(): number {
    return entryCount(this.#database);
  }

  has(key: Uint8Array): boolean {
    return this.#database.doesExist(key);
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
   * @param rows [n, elements]
   * @throws LimbeckError `store.range` for a value that the encoding cannot hold, `store.disk-full`, `store.failed`.
   */
  async put(keys: Uint8Array, rows: Float32Array): Promise<void> {
    const count = sampleCount(keys);
    if (rows.length !== count * this.elements) {
      throw new Error(`${count} labels of ${this.elements} values are not ${rows.length} values`);
    }
    // Encoded before the transaction, so that the lock that processes share is held for the writing alone.
    const records: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      const values = rows.subarray(i * this.elements, (i + 1) * this.elements);
      const record = this.#codec.encode(keyAt(keys, i), values);
      if (typeof record === 'number') {
        throw new LimbeckError(
          'store.range',
          this.info.encoding === 'float16-centred'
            ? `the teacher's ${this.info.tap} has the value ${values[record]}, which is further from the mean of its sample than float16 can hold`
            : `the teacher's ${this.info.tap} has the value ${values[record]}, which float16 cannot hold`,
          {
            where: `value ${record} of sample ${hex(keyAt(keys, i))}`,
            remedy:
              'Scale the model down so that its outputs stay within 65,504 (the last layer of a teacher is enough).',
          },
        );
      }
      records.push(record);
    }
    this.#transact(() => {
      records.forEach((record, i) => {
        this.#database.put(keyAt(keys, i), record);
      });
    });
  }

  /**
   * Reads the labels of some samples.
   *
   * @param keys [n, SAMPLE_KEY_BYTES]
   * @param into written from its start: [n, elements]
   * @throws LimbeckError `store.missing`, `store.damaged`.
   */
  read(keys: Uint8Array, into: Float32Array): void {
    const count = sampleCount(keys);
    if (into.length < count * this.elements) {
      throw new Error(`${count} labels of ${this.elements} values do not fit into ${into.length}`);
    }
    for (let i = 0; i < count; i++) {
      const key = keyAt(keys, i);
      const record = this.#database.getBinaryFast(key as Buffer);
      if (!record) throw this.#missingError(keys);
      if (!this.#codec.decode(key, record, into, i * this.elements)) {
        throw new LimbeckError('store.damaged', 'a label in the knowledge store fails its checksum', {
          where: `sample ${hex(key)}, ${this.info.tap} of ${this.info.title}, in ${this.#folder}`,
          remedy: 'Run `limbeck store verify --repair`; the next run labels what it drops.',
        });
      }
    }
  }

  /** Checks up to `limit` records after the key `after`, in the order of keys. */
  check(after: Uint8Array | undefined, limit: number): CheckedRecord[] {
    const checked: CheckedRecord[] = [];
    const range = this.#database.getRange({
      ...(after ? { start: Buffer.from(after) } : {}),
      limit: limit + 1,
      snapshot: true,
    });
    for (const { key, value } of range) {
      if (after && Buffer.compare(key, after) === 0) continue;
      if (checked.length === limit) break;
      checked.push({
        key: Uint8Array.from(key),
        sound: key.length === SAMPLE_KEY_BYTES && this.#codec.isSound(key, value as Buffer),
      });
    }
    return checked;
  }

  /** Drops the labels of some samples. */
  async remove(keys: readonly Uint8Array[]): Promise<void> {
    this.#transact(() => {
      for (const key of keys) this.#database.remove(key as Buffer);
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#database.close();
  }

  /**
   * Synchronous on purpose: an asynchronous commit of the lmdb package reports a full disk on promises that nobody
   * holds, and there is nothing to overlap it with, since a model's run blocks this thread anyway.
   */
  #transact(action: () => void): void {
    try {
      this.#database.transactionSync(action);
    } catch (cause) {
      throw storeError(cause, this.#folder);
    }
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
  return Buffer.from(key).toString('hex');
}
