import { numbersIn, textOf, utf8Of } from '../../platform/bytes.ts';
import * as fs from '../../platform/files.ts';
import { openRegularFile } from '../../regular-file.ts';

/** How a value begins on its way: what follows says it. */
const TAG = { none: 0, number: 1, floats: 2, json: 3 } as const;

const HEAD = 8;
const NOTHING = new Uint8Array(0);
/** Numbers are most of what there is: they are written here, and copied from here. */
const NUMBER = new Uint8Array(HEAD + 8);
const NUMBERS = numbersIn(NUMBER);

/** The value of an output as bytes: a tag and a length, then a float64, float32s, or JSON. The next call may overwrite it. */
export function stagedValue(value: unknown): Uint8Array {
  if (typeof value === 'number') {
    NUMBERS.setUint32(0, TAG.number, true);
    NUMBERS.setUint32(4, 8, true);
    NUMBERS.setFloat64(HEAD, value, true);
    return NUMBER;
  }
  const [tag, bytes] = bodyOf(value);
  const whole = new Uint8Array(HEAD + bytes.length);
  const numbers = numbersIn(whole);
  numbers.setUint32(0, tag, true);
  numbers.setUint32(4, bytes.length, true);
  whole.set(bytes, HEAD);
  return whole;
}

function bodyOf(value: unknown): [number, Uint8Array] {
  if (value === undefined) return [TAG.none, NOTHING];
  if (value instanceof Float32Array)
    return [TAG.floats, new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
  return [TAG.json, utf8Of(JSON.stringify(value))];
}

function readValue(tag: number, bytes: Uint8Array): unknown {
  if (tag === TAG.none) return undefined;
  if (tag === TAG.json) return JSON.parse(textOf(bytes)) as unknown;
  const floats = new Float32Array(bytes.length / 4);
  new Uint8Array(floats.buffer).set(bytes);
  return floats;
}

const CHUNK = 1 << 18;

/** Reads staged values from front to back. */
export class StagedValueReader {
  readonly #path: string;
  readonly #descriptor: number;
  #buffer = new Uint8Array(CHUNK);
  #numbers = numbersIn(this.#buffer);
  #position = 0;
  #at = 0;
  #end = 0;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openRegularFile(path);
  }

  next(): unknown {
    const head = this.#take(HEAD);
    const tag = this.#numbers.getUint32(head, true);
    const length = this.#numbers.getUint32(head + 4, true);
    const body = this.#take(length);
    if (tag === TAG.number) return this.#numbers.getFloat64(body, true);
    return readValue(tag, this.#buffer.subarray(body, body + length));
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  /** Where in the buffer the next bytes lie; the next call may overwrite them. */
  #take(bytes: number): number {
    if (this.#at + bytes > this.#end) {
      const rest = this.#buffer.subarray(this.#at, this.#end);
      const larger = bytes > this.#buffer.length ? new Uint8Array(bytes + CHUNK) : this.#buffer;
      larger.set(rest);
      this.#buffer = larger;
      this.#numbers = numbersIn(larger);
      this.#end = rest.length;
      this.#at = 0;
      while (this.#end < bytes) {
        const read = fs.readSync(
          this.#descriptor,
          this.#buffer,
          this.#end,
          this.#buffer.length - this.#end,
          this.#position,
        );
        if (read === 0) throw new Error(`${this.#path} ends within a value`);
        this.#position += read;
        this.#end += read;
      }
    }
    this.#at += bytes;
    return this.#at - bytes;
  }
}
