import { crc32 } from '../crc32.ts';
import { numbersIn, unsetBytes } from '../platform/bytes.ts';
import { decodeFloat16, encodeFloat16 } from './float16.ts';
import type { SizedAnswer } from './record.ts';

/** A checksum, and the number of tokens. */
const HEAD_BYTES = 8;
/** What a token's values are counted in. */
const COUNT_BYTES = 2;
const VALUE_BYTES = 2;

/** The most bytes that a record takes of so many values. */
export function trimmedRecordBytes(elements: number, tokens: number): number {
  return HEAD_BYTES + tokens * COUNT_BYTES + elements * VALUE_BYTES;
}

/**
 * Records of numbers for each token of a sample, [tokens, width], that are 0 from some place on, for many tokens from the first: a CRC-32
 * over key and content, the number of tokens (uint32), then for each token how many values it has up to the last that is not 0
 * (uint16), then these values (float16), all little-endian.
 */
export class TrimmedRecordCodec {
  readonly #width: number;

  /** @param width values of a token */
  constructor(width: number) {
    if (width > 0xffff) throw new Error(`${width} values of a token are more than can be counted`);
    this.#width = width;
  }

  /** The record of a sample, or the position of the first value that cannot be kept. */
  encode(key: Uint8Array, { length, values }: SizedAnswer): Uint8Array | number {
    const width = this.#width;
    const counts = new Uint16Array(length);
    const kept: number[] = [];
    const places: number[] = [];
    for (let token = 0; token < length; token++) {
      let count = width;
      while (count > 0 && values[token * width + count - 1] === 0) count--;
      counts[token] = count;
      for (let i = token * width; i < token * width + count; i++) {
        kept.push(values[i] as number);
        places.push(i);
      }
    }
    const halves = new Uint16Array(kept.length);
    const overflow = encodeFloat16(Float32Array.from(kept), halves);
    if (overflow >= 0) return places[overflow] as number;
    const record = unsetBytes(trimmedRecordBytes(kept.length, length));
    const numbers = numbersIn(record);
    numbers.setUint32(4, length, true);
    record.set(new Uint8Array(counts.buffer), HEAD_BYTES);
    record.set(new Uint8Array(halves.buffer), HEAD_BYTES + counts.byteLength);
    numbers.setUint32(0, crc32(record.subarray(4), crc32(key)), true);
    return record;
  }

  isSound(key: Uint8Array, record: Uint8Array): boolean {
    return this.decode(key, record) !== undefined;
  }

  /** undefined when the record is damaged. */
  decode(key: Uint8Array, stored: Uint8Array): SizedAnswer | undefined {
    // LMDB's buffer is longer than the length that it tells.
    const record = new Uint8Array(stored.length);
    record.set(stored.subarray(0, stored.length));
    if (record.length < HEAD_BYTES) return undefined;
    const numbers = numbersIn(record);
    if (numbers.getUint32(0, true) !== crc32(record.subarray(4), crc32(key))) return undefined;
    const length = numbers.getUint32(4, true);
    const from = HEAD_BYTES + length * COUNT_BYTES;
    // A damaged length must not become a large allocation.
    if (record.length < from) return undefined;
    const counts = new Uint16Array(record.slice(HEAD_BYTES, from).buffer);
    const width = this.#width;
    const count = counts.reduce((sum, own) => sum + own, 0);
    if (counts.some((own) => own > width) || record.length !== from + count * VALUE_BYTES) return undefined;
    const kept = new Float32Array(count);
    decodeFloat16(new Uint16Array(record.slice(from).buffer), kept, 0);
    const values = new Float32Array(length * width);
    let at = 0;
    for (const [token, own] of counts.entries()) {
      values.set(kept.subarray(at, at + own), token * width);
      at += own;
    }
    return { length, values };
  }
}
