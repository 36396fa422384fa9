import { numbersIn, textOf, utf8Of } from '../../platform/bytes.ts';
import * as fs from '../../platform/files.ts';
import { openRegularFile } from '../../regular-file.ts';

/** How a value begins on its way: what follows says it. */
const TAG = { none: 0, number: 1, floats: 2, json: 3 } as const;

/** Values of outputs as bytes, one after another: a tag and a length, then a float64, float32s, or JSON. */
export function stagedValues(values: readonly unknown[]): Uint8Array {
  const bodies = values.map(bodyOf);
  const whole = new Uint8Array(bodies.reduce((sum, [, bytes]) => sum + HEAD + bytes.length, 0));
  const numbers = numbersIn(whole);
  let at = 0;
  for (const [tag, bytes] of bodies) {
    numbers.setUint32(at, tag, true);
    numbers.setUint32(at + 4, bytes.length, true);
    whole.set(bytes, at + HEAD);
    at += HEAD + bytes.length;
  }
  return whole;
}

const HEAD = 8;
const NOTHING = new Uint8Array(0);

function bodyOf(value: unknown): [number, Uint8Array] {
  if (value === undefined) return [TAG.none, NOTHING];
  if (typeof value === 'number') return [TAG.number, new Uint8Array(Float64Array.of(value).buffer)];
  if (value instanceof Float32Array)
    return [TAG.floats, new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
  return [TAG.json, utf8Of(JSON.stringify(value))];
}

function readValue(tag: number, bytes: Uint8Array): unknown {
  if (tag === TAG.none) return undefined;
  if (tag === TAG.number) return numbersIn(bytes).getFloat64(0, true);
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
  #position = 0;
  #at = 0;
  #end = 0;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openRegularFile(path);
  }

  next(): unknown {
    const head = this.#take(HEAD);
    const [tag, length] = [0, 4].map((at) => numbersIn(head).getUint32(at, true)) as [number, number];
    return readValue(tag, this.#take(length));
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  /** The next bytes, in a buffer that the next call may overwrite. */
  #take(bytes: number): Uint8Array {
    if (this.#at + bytes > this.#end) {
      const rest = this.#buffer.subarray(this.#at, this.#end);
      const larger = bytes > this.#buffer.length ? new Uint8Array(bytes + CHUNK) : this.#buffer;
      larger.set(rest);
      this.#buffer = larger;
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
    return this.#buffer.subarray(this.#at - bytes, this.#at);
  }
}
