import { BYTE_OF_LETTER } from './byte-letters.ts';

/** What decides how a vocabulary writes the bytes of a text. */
export interface TokenSpelling {
  /** Whether tokens are made of the letters that stand for bytes (GPT-2's): `Ġ` is a space. */
  readonly byteLevel: boolean;
  /** Before a token that continues a word: `##`. */
  readonly continuing: string;
}

/** How a tokenizer.json's vocabulary is spelt. */
export function tokenSpelling(json: Readonly<Record<string, unknown>>): TokenSpelling {
  const model = (json.model ?? {}) as { continuing_subword_prefix?: unknown };
  const prefix = model.continuing_subword_prefix;
  return {
    byteLevel: /"type":"ByteLevel"/.test(JSON.stringify([json.decoder ?? null, json.pre_tokenizer ?? null])),
    continuing: typeof prefix === 'string' ? prefix : '',
  };
}

/** The UTF-8 bytes of the text that a token stands for, without spaces: `##ing`, `▁ing` and `Ġing` are `ing`. */
export function tokenBytes(token: string, { byteLevel, continuing }: TokenSpelling): Uint8Array {
  const byte = /^<0x([0-9A-F]{2})>$/.exec(token)?.[1];
  if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
  if (byteLevel) {
    const bytes = [...token].map((letter) => BYTE_OF_LETTER.get(letter) ?? -1);
    // What is not spelt so is an added token, whose text is plain.
    if (!bytes.includes(-1)) return Uint8Array.from(bytes.filter((value) => !SPACES.has(value)));
  }
  const own = continuing !== '' && token.startsWith(continuing) ? token.slice(continuing.length) : token;
  return new TextEncoder().encode(own.replace(/<\/w>$/, '').replace(/[\s\u2581]/gu, ''));
}

const SPACES = new Set([9, 10, 11, 12, 13, 32]);

/** How a vocabulary writes texts down so that they come back byte by byte: as letters for bytes, or as SentencePiece does. */
export type ExactSpelling = 'byte-level' | 'sentencepiece';

/** How a tokenizer.json spells bytes, spaces too; undefined where spaces are lost (WordPiece, whole words). */
export function exactSpelling(json: Readonly<Record<string, unknown>>): ExactSpelling | undefined {
  if (tokenSpelling(json).byteLevel) return 'byte-level';
  const steps = JSON.stringify([json.decoder ?? null, json.pre_tokenizer ?? null]);
  return /"type":"Metaspace"|"String":"\u2581"/.test(steps) ? 'sentencepiece' : undefined;
}

/** The bytes of the text that a token of a vocabulary stands for, spaces too. */
export function spelledBytes(token: string, spelling: ExactSpelling): Uint8Array {
  if (spelling === 'byte-level') {
    const bytes = [...token].map((letter) => BYTE_OF_LETTER.get(letter) ?? -1);
    return bytes.includes(-1) ? new TextEncoder().encode(token) : Uint8Array.from(bytes);
  }
  const byte = /^<0x([0-9A-F]{2})>$/.exec(token)?.[1];
  if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
  return new TextEncoder().encode(token.replaceAll('\u2581', ' '));
}
