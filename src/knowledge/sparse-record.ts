import { crc32 } from '../crc32.ts';
import { numbersIn, unsetBytes } from '../platform/bytes.ts';
import { decodeFloat16, encodeFloat16 } from './float16.ts';
import type { SizedAnswer } from './record.ts';

const CHECKSUM_BYTES = 4;
/** Tokens, and bytes of an id, uint32 each. */
const HEAD_BYTES = 8;
/** The largest id that two bytes hold. */
const MOST_SHORT = 0xffff;
/** What a token's entries are counted in. */
const COUNT_BYTES = 2;
const WEIGHT_BYTES = 2;

/** The most bytes that a record takes of so many values, half of which are ids and half their weights. */
export function sparseRecordBytes(elements: number, tokens: number, idBytes = 2): number {
  return CHECKSUM_BYTES + HEAD_BYTES + tokens * COUNT_BYTES + (elements / 2) * (idBytes + WEIGHT_BYTES);
}

/**
 * Records of what a teacher says of a few of many classes for each token of a sample: [tokens, 2 k] values, first k ids, then
 * their weights, of which those of weight 0 are left out at the end. A CRC-32 over key and content, then the number of tokens
 * and the bytes of an id (uint32 each), then for each token how many entries it has (uint16), their ids (uint16, or uint32 where
 * one needs it) and their weights (float16), all little-endian.
 */
export class SparseRecordCodec {
  readonly #width: number;

  /** @param width 2 k: values of a token */
  constructor(width: number) {
    if (width % 2 !== 0 || width > 2 * MOST_SHORT)
      throw new Error(`${width} values of a token are no ids and weights`);
    this.#width = width;
  }

  /** The record of a sample, or the position of the first value that cannot be kept. */
  encode(key: Uint8Array, { length, values }: SizedAnswer): Uint8Array | number {
    const half = this.#width / 2;
    const counts = new Uint16Array(length);
    let [entries, largest] = [0, 0];
    for (let token = 0; token < length; token++) {
      const from = token * this.#width;
      let count = half;
      while (count > 0 && values[from + half + count - 1] === 0) count--;
      counts[token] = count;
      entries += count;
      for (let i = 0; i < count; i++) {
        const id = values[from + i] as number;
        if (!Number.isInteger(id) || id < 0 || id > 0xffffffff) return from + i;
        if (id > largest) largest = id;
      }
    }
    const idBytes = largest > MOST_SHORT ? 4 : 2;
    const weights = new Float32Array(entries);
    const ids = idBytes === 2 ? new Uint16Array(entries) : new Uint32Array(entries);
    let at = 0;
    for (let token = 0; token < length; token++) {
      const from = token * this.#width;
      for (let i = 0; i < (counts[token] as number); i++, at++) {
        ids[at] = values[from + i] as number;
        weights[at] = values[from + half + i] as number;
      }
    }
    const kept = new Uint16Array(entries);
    const overflow = encodeFloat16(weights, kept);
    if (overflow >= 0) return positionOf(overflow, counts, this.#width);
    const record = unsetBytes(
      CHECKSUM_BYTES + HEAD_BYTES + length * COUNT_BYTES + entries * (idBytes + WEIGHT_BYTES),
    );
    const numbers = numbersIn(record);
    numbers.setUint32(CHECKSUM_BYTES, length, true);
    numbers.setUint32(CHECKSUM_BYTES + 4, idBytes, true);
    let to = CHECKSUM_BYTES + HEAD_BYTES;
    for (const part of [counts, ids, kept]) {
      record.set(new Uint8Array(part.buffer), to);
      to += part.byteLength;
    }
    numbers.setUint32(0, crc32(record.subarray(CHECKSUM_BYTES), crc32(key)), true);
    return record;
  }

  isSound(key: Uint8Array, record: Uint8Array): boolean {
    return this.decode(key, record) !== undefined;
  }

  /** undefined when the record is damaged. */
  decode(key: Uint8Array, stored: Uint8Array): SizedAnswer | undefined {
    // LMDB's buffer is longer than the length that it tells, and iterating it goes on to its end.
    const record = new Uint8Array(stored.length);
    record.set(stored.subarray(0, stored.length));
    if (record.length < CHECKSUM_BYTES + HEAD_BYTES) return undefined;
    const numbers = numbersIn(record);
    if (numbers.getUint32(0, true) !== crc32(record.subarray(CHECKSUM_BYTES), crc32(key))) return undefined;
    const length = numbers.getUint32(CHECKSUM_BYTES, true);
    const idBytes = numbers.getUint32(CHECKSUM_BYTES + 4, true);
    let from = CHECKSUM_BYTES + HEAD_BYTES;
    // A damaged length must not become a large allocation.
    if ((idBytes !== 2 && idBytes !== 4) || record.length < from + length * COUNT_BYTES) return undefined;
    const counts = new Uint16Array(record.slice(from, from + length * COUNT_BYTES).buffer);
    from += length * COUNT_BYTES;
    const half = this.#width / 2;
    const entries = counts.reduce((sum, count) => sum + count, 0);
    if (counts.some((count) => count > half) || record.length !== from + entries * (idBytes + WEIGHT_BYTES))
      return undefined;
    const idsEnd = from + entries * idBytes;
    const ids =
      idBytes === 2
        ? new Uint16Array(record.slice(from, idsEnd).buffer)
        : new Uint32Array(record.slice(from, idsEnd).buffer);
    const weights = new Float32Array(entries);
    decodeFloat16(new Uint16Array(record.slice(idsEnd).buffer), weights, 0);
    const values = new Float32Array(length * this.#width);
    let at = 0;
    for (let token = 0; token < length; token++) {
      const to = token * this.#width;
      const count = counts[token] as number;
      values.set(ids.subarray(at, at + count), to);
      values.set(weights.subarray(at, at + count), to + half);
      at += count;
    }
    return { length, values };
  }
}

/** Where a weight stands among the values, of its number among those that are kept. */
function positionOf(entry: number, counts: Uint16Array, width: number): number {
  let left = entry;
  let token = 0;
  while (left >= (counts[token] as number)) left -= counts[token++] as number;
  return token * width + width / 2 + left;
}
