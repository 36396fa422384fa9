import { joinBytes } from '../../../platform/bytes.ts';

/** Where nothing is asked about what comes after a token. */
export const NOT_ASKED = -1;
/** Where nobody knows what is true, and what a teacher says counts: of texts that a student wrote. */
export const FOR_TEACHER = -2;

/** A stretch of a document that a language model reads at once. */
export interface TokenPieceParts {
  /** At most as many as the model reads. */
  readonly ids: readonly number[];
  /** What comes after each of the ids, as a model is to say it; NOT_ASKED where it is not asked. */
  readonly next: readonly number[];
  /** For people. */
  readonly text: string;
  /** Its part of the document's bytes in UTF-8, by its part of what is asked. */
  readonly bytes: number;
}

/**
 * A stretch of a document as the value of a row's field: what a source of documents becomes where a model reads all of every
 * document, however long it is. No file holds one, so that the data of others cannot be mistaken for it.
 */
export class TokenPiece implements TokenPieceParts {
  readonly ids: readonly number[];
  readonly next: readonly number[];
  readonly text: string;
  readonly bytes: number;

  constructor({ ids, next, text, bytes }: TokenPieceParts) {
    this.ids = ids;
    this.next = next;
    this.text = text;
    this.bytes = bytes;
  }

  /** What it is known by: equal tokens of texts of one length, of which the same is asked, are one sample. */
  get content(): Uint8Array {
    const numbers = [Int32Array.from(this.ids), Int32Array.from(this.next), Float64Array.of(this.bytes)];
    return joinBytes(numbers.map(({ buffer }) => new Uint8Array(buffer)));
  }
}
