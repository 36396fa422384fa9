import { joinBytes } from '../../../../platform/bytes.ts';
import type { ExactSpelling } from './token-bytes.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A text as a tokenizer cut it: its tokens, and where in the text's UTF-8 bytes each of them ends. */
export interface CutText {
  readonly ids: readonly number[];
  readonly ends: readonly number[];
}

/** The bytes of tokens, which are looked up again and again. */
export class SpelledTokens {
  readonly #tokenizer: Tokenizer;
  readonly #spelling: ExactSpelling;
  readonly #known = new Map<number, Uint8Array>();

  constructor(tokenizer: Tokenizer, spelling: ExactSpelling) {
    this.#tokenizer = tokenizer;
    this.#spelling = spelling;
  }

  /** The bytes that a token stands for, spaces too. */
  of(id: number): Uint8Array {
    let bytes = this.#known.get(id);
    if (!bytes) {
      bytes = this.#tokenizer.spelledBytes(id, this.#spelling);
      this.#known.set(id, bytes);
    }
    return bytes;
  }

  /**
   * Cuts a text into tokens, without special ones around it. Undefined where the tokens' bytes are not those of the text: the tokenizer
   * reads another text then (other case, composed accents, an unknown token), and nothing says where in this one its tokens end. A space
   * that SentencePiece puts before a text is no part of it.
   */
  cut(text: string): CutText | undefined {
    const ids = this.#tokenizer.encodePlain(text);
    const wanted = new TextEncoder().encode(text);
    const { unknownId } = this.#tokenizer;
    const parts = ids.map((id) => this.of(id));
    const said = joinBytes(parts);
    const before =
      this.#spelling === 'sentencepiece' && said.length === wanted.length + 1 && said[0] === SPACE ? 1 : 0;
    if (said.length !== wanted.length + before || (unknownId !== undefined && ids.includes(unknownId)))
      return undefined;
    for (let i = 0; i < wanted.length; i++) if (said[i + before] !== wanted[i]) return undefined;
    let at = -before;
    const ends = parts.map(({ length }) => {
      at += length;
      return Math.max(0, at);
    });
    return { ids, ends };
  }
}

const SPACE = 0x20;
