import { numbersIn, textOf, utf8Of } from '../../platform/bytes.ts';
import { readFully } from './read-fully.ts';

/** What is kept of a sample for people. */
export interface ShownEntry {
  /** The id that the source gave it, or the hash of its content. */
  readonly id: string;
  /** Of each input, `Encoded.shown`. */
  readonly shown: readonly Uint8Array[];
}

const NOTHING = new Uint8Array(0);

/** An entry of the file of what is shown: the lengths of the id and of each input's part in bytes (uint32), then these. */
export function shownEntry(id: string, shown: readonly (Uint8Array | string | undefined)[]): Uint8Array {
  const parts = [id, ...shown].map((part) => (typeof part === 'string' ? utf8Of(part) : (part ?? NOTHING)));
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 4 * parts.length));
  const numbers = numbersIn(whole);
  let at = 4 * parts.length;
  for (const [i, part] of parts.entries()) {
    numbers.setUint32(4 * i, part.length, true);
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The entry at a place of an open file. @param inputs how many inputs a sample has */
export function readShown(descriptor: number, at: number, inputs: number, path: string): ShownEntry {
  const head = new Uint8Array(4 * (inputs + 1));
  readFully(descriptor, head, 0, head.length, at, path);
  const lengths = Array.from({ length: inputs + 1 }, (_, i) => numbersIn(head).getUint32(4 * i, true));
  const body = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  readFully(descriptor, body, 0, body.length, at + head.length, path);
  let from = 0;
  const [id, ...shown] = lengths.map((length) => {
    from += length;
    return body.subarray(from - length, from);
  }) as [Uint8Array, ...Uint8Array[]];
  return { id: textOf(id), shown };
}
