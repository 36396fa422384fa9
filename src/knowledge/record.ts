import { crc32 } from '../crc32.ts';
import { joinBytes, numbersIn, unsetBytes } from '../platform/bytes.ts';
import { decodeFloat16, encodeFloat16 } from './float16.ts';
import { BYTES_PER_VALUE, type LabelEncoding } from './label-encoding.ts';

const CHECKSUM_BYTES = 4;

/** The size of a record of `elements` values. */
export function recordBytes(elements: number, encoding: LabelEncoding): number {
  return CHECKSUM_BYTES + elements * BYTES_PER_VALUE[encoding];
}

/**
 * Turns one sample's values into a record and back: a CRC-32 over key and values, then the values, all
 * little-endian. The key is part of the checksum, so that a record under a wrong key is found too.
 */
export class RecordCodec {
  readonly elements: number;
  readonly encoding: LabelEncoding;
  readonly bytes: number;
  /** The values of one record, aligned, in their encoding. */
  readonly #values: Float32Array | Uint16Array;
  readonly #valueBytes: Uint8Array;

  constructor(elements: number, encoding: LabelEncoding) {
    this.elements = elements;
    this.encoding = encoding;
    this.bytes = recordBytes(elements, encoding);
    this.#values = encoding === 'float32' ? new Float32Array(elements) : new Uint16Array(elements);
    this.#valueBytes = new Uint8Array(this.#values.buffer);
  }

  /**
   * The record of one sample, in new memory.
   *
   * @returns the position of the first value that its encoding cannot hold instead, if there is one.
   */
  encode(key: Uint8Array, values: Float32Array): Uint8Array | number {
    if (this.#values instanceof Float32Array) {
      this.#values.set(values);
    } else {
      const kept = this.encoding === 'float16-centred' ? centred(values) : values;
      const overflow = encodeFloat16(kept, this.#values);
      if (overflow >= 0) return this.encoding === 'float16-centred' ? furthest(kept) : overflow;
    }
    const record = unsetBytes(this.bytes);
    numbersIn(record).setUint32(0, crc32(this.#valueBytes, crc32(key)), true);
    record.set(this.#valueBytes, CHECKSUM_BYTES);
    return record;
  }

  /** Whether the record is whole and belongs to the key. */
  isSound(key: Uint8Array, record: Uint8Array): boolean {
    return (
      record.length === this.bytes &&
      numbersIn(record).getUint32(0, true) === crc32(record.subarray(CHECKSUM_BYTES), crc32(key))
    );
  }

  /** Writes the record's values to `into` from `offset`; false, with nothing written, when it is damaged. */
  decode(key: Uint8Array, record: Uint8Array, into: Float32Array, offset: number): boolean {
    if (!this.isSound(key, record)) return false;
    this.#valueBytes.set(record.subarray(CHECKSUM_BYTES));
    if (this.#values instanceof Float32Array) into.set(this.#values, offset);
    else decodeFloat16(this.#values, into, offset);
    return true;
  }
}

/** What a record of an answer of true length begins with: how many tokens the sample has. */
const LENGTH_BYTES = 4;

/** The size of a record of `elements` values of a sample of some length. */
export function lengthRecordBytes(elements: number, encoding: LabelEncoding): number {
  return LENGTH_BYTES + recordBytes(elements, encoding);
}

/** An answer of a sample's own length. */
export interface SizedAnswer {
  /** Tokens of the sample. */
  readonly length: number;
  /** Of the shape at that length. */
  readonly values: Float32Array;
}

/**
 * The same for answers whose shape depends on the length of the sample: a CRC-32 over key, length and values, the length
 * (uint32), then the values.
 */
export class LengthRecordCodec {
  readonly #elements: (length: number) => number;
  readonly encoding: LabelEncoding;

  /** @param elements how many values an answer about so many tokens has */
  constructor(elements: (length: number) => number, encoding: LabelEncoding) {
    this.#elements = elements;
    this.encoding = encoding;
  }

  /** As `RecordCodec.encode`. */
  encode(key: Uint8Array, { length, values }: SizedAnswer): Uint8Array | number {
    const codec = new RecordCodec(values.length, this.encoding);
    const head = new Uint8Array(LENGTH_BYTES);
    numbersIn(head).setUint32(0, length, true);
    const record = codec.encode(joinBytes([key, head]), values);
    if (typeof record === 'number') return record;
    return joinBytes([record.subarray(0, CHECKSUM_BYTES), head, record.subarray(CHECKSUM_BYTES)]);
  }

  isSound(key: Uint8Array, record: Uint8Array): boolean {
    return this.decode(key, record) !== undefined;
  }

  /** undefined when the record is damaged. */
  decode(key: Uint8Array, record: Uint8Array): SizedAnswer | undefined {
    if (record.length < CHECKSUM_BYTES + LENGTH_BYTES) return undefined;
    const head = record.subarray(CHECKSUM_BYTES, CHECKSUM_BYTES + LENGTH_BYTES);
    const length = numbersIn(head).getUint32(0, true);
    const elements = this.#elements(length);
    // A damaged length must not become a large allocation.
    if (record.length !== lengthRecordBytes(elements, this.encoding)) return undefined;
    const rest = joinBytes([
      record.subarray(0, CHECKSUM_BYTES),
      record.subarray(CHECKSUM_BYTES + LENGTH_BYTES),
    ]);
    const values = new Float32Array(elements);
    const codec = new RecordCodec(elements, this.encoding);
    return codec.decode(joinBytes([key, head]), rest, values, 0) ? { length, values } : undefined;
  }
}

/** The values without their mean, which is taken of all digits. */
function centred(values: Float32Array): Float32Array {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  return values.map((value) => value - mean);
}

/** The position of the value that is furthest from 0: the one that the others cannot be kept beside. */
function furthest(values: Float32Array): number {
  return values.reduce(
    (most, value, i) => (Math.abs(value) > Math.abs(values[most] as number) ? i : most),
    0,
  );
}
