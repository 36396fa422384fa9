import type { Tokenizer } from '../data/modalities/text/tokenizer/tokenizer.ts';

/** Where a token lies in its text, in UTF-16 units; undefined for one that stands for no part of it (`[CLS]`). */
export type TokenOffset = readonly [from: number, to: number] | undefined;

/** Tokens are looked for so many bytes further on, where what was before them is not found (unknown words). */
const REACH = 400;

/**
 * Where each token of an encoded text comes from. Tokens are matched with the text as the tokenizer reads it (its case,
 * its accents), byte by byte and without spaces, which tokenizers write in ways of their own. The part of a text that an
 * unknown token stands for lies between its neighbours.
 */
export function tokenOffsets(tokenizer: Tokenizer, text: string, ids: ArrayLike<number>): TokenOffset[] {
  const source = sourceBytes(text, (part) => tokenizer.normalized(part));
  const offsets: TokenOffset[] = [];
  const unknown: number[] = [];
  let at = 0;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number;
    const bytes = tokenizer.bytesOf(id);
    if (id === tokenizer.unknownId) {
      unknown.push(i);
      offsets.push(undefined);
      continue;
    }
    const found = bytes.length === 0 ? -1 : find(source.bytes, bytes, at, unknown.length > 0 ? REACH : 0);
    if (found < 0) {
      offsets.push(undefined);
      continue;
    }
    // Several unknown tokens in a row share what lies between.
    for (const one of unknown.splice(0)) offsets[one] = source.span(at, found);
    offsets.push(source.span(found, found + bytes.length));
    at = found + bytes.length;
  }
  for (const one of unknown) offsets[one] = source.span(at, source.bytes.length);
  return offsets;
}

interface SourceBytes {
  readonly bytes: Uint8Array;
  /** The part of the text that the bytes [from, to) come from. */
  span(from: number, to: number): TokenOffset;
}

/** A text's bytes as the tokenizer reads it, without spaces, each with the character that it comes from. */
function sourceBytes(text: string, normalize: (part: string) => string): SourceBytes {
  const bytes: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const encoder = new TextEncoder();
  let at = 0;
  for (const character of text) {
    const end = at + character.length;
    for (const byte of encoder.encode(normalize(character).replace(/[\s\u2581]/gu, ''))) {
      bytes.push(byte);
      starts.push(at);
      ends.push(end);
    }
    at = end;
  }
  return {
    bytes: Uint8Array.from(bytes),
    span: (from, to) => (from < to ? [starts[from] as number, ends[to - 1] as number] : undefined),
  };
}

/** The place of `part` in `bytes` from `at` on, at most `reach` further; -1 where it is not there. */
function find(bytes: Uint8Array, part: Uint8Array, at: number, reach: number): number {
  const last = Math.min(at + reach, bytes.length - part.length);
  for (let start = at; start <= last; start++) {
    let same = 0;
    while (same < part.length && bytes[start + same] === part[same]) same++;
    if (same === part.length) return start;
  }
  return -1;
}
