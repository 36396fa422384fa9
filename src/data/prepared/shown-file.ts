import { numbersIn, textOf } from '../../platform/bytes.ts';
import { readFully } from './read-fully.ts';

/** What is kept of a sample for people. */
export interface ShownEntry {
  /** The id that the source gave it, or the hash of its content. */
  readonly id: string;
  /** Of each input, `Encoded.shown`. */
  readonly shown: readonly Uint8Array[];
}

const NOTHING = new Uint8Array(0);

/** Where entries are put together. */
let scratch = new Uint8Array(1 << 16);
let numbers = numbersIn(scratch);
const UTF8 = new TextEncoder();
/** A place of a string becomes so many bytes at most. */
const MOST_BYTES = 3;

/**
 * An entry of the file of what is shown: the lengths of the id and of each input's part in bytes (uint32), then these. The next
 * call overwrites it.
 *
 * @param inputs undefined for one that the sample does not have
 */
export function shownEntry(
  id: string,
  inputs: readonly ({ readonly shown?: Uint8Array | string | undefined } | undefined)[],
): Uint8Array {
  let most = 4 * (inputs.length + 1) + MOST_BYTES * id.length;
  for (const input of inputs) {
    const shown = input?.shown;
    if (shown !== undefined) most += typeof shown === 'string' ? MOST_BYTES * shown.length : shown.length;
  }
  if (most > scratch.length) {
    scratch = new Uint8Array(most);
    numbers = numbersIn(scratch);
  }
  let at = 4 * (inputs.length + 1);
  at += put(0, id, at);
  for (let i = 0; i < inputs.length; i++) at += put(i + 1, inputs[i]?.shown ?? NOTHING, at);
  return scratch.subarray(0, at);
}

/** Writes a part and its length; returns this. */
function put(part: number, content: Uint8Array | string, at: number): number {
  let { length } = content;
  if (typeof content === 'string') length = UTF8.encodeInto(content, scratch.subarray(at)).written;
  else scratch.set(content, at);
  numbers.setUint32(4 * part, length, true);
  return length;
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
