/** What makes text of token ids. */
export interface TokenDecoder {
  decode(ids: readonly number[]): string;
}

/** So many tokens before one decide how it is written: a space before a word, a character of several bytes. */
const CONTEXT = 8;
/** Stands where bytes are no character, or not yet: what a text is cut in counts as one. */
const REPLACEMENT = '\ufffd';

/**
 * The text of tokens, as they come: pieces that never change again. What may become another character with the next token, or the
 * beginning of a text that ends everything, is held back until that is known.
 */
export class TextStream {
  readonly #decoder: TokenDecoder;
  readonly #stops: readonly string[];
  /** The last tokens. */
  #ids: number[];
  /** Characters of their text that are taken. */
  #taken: number;
  /** Taken, but not given away. */
  #held = '';
  #isStopped = false;

  /**
   * @param prompt what the text goes on from
   * @param stops texts that end everything, and are not part of it
   */
  constructor(decoder: TokenDecoder, prompt: readonly number[], stops: readonly string[] = []) {
    this.#decoder = decoder;
    this.#stops = stops;
    this.#ids = prompt.slice(-CONTEXT);
    this.#taken = decoder.decode(this.#ids).length;
  }

  /** The text that is known now that one more token is. */
  push(id: number): string {
    this.#ids.push(id);
    const text = this.#decoder.decode(this.#ids);
    const open = text.endsWith(REPLACEMENT) ? 1 : 0;
    const piece = text.slice(this.#taken, text.length - open);
    this.#taken = Math.max(this.#taken, text.length - open);
    if (this.#ids.length > 2 * CONTEXT) {
      this.#ids = this.#ids.slice(-CONTEXT);
      this.#taken = this.#decoder.decode(this.#ids).length - open;
    }
    return this.#give(piece, heldBack);
  }

  /** The rest. */
  end(): string {
    return this.#give(this.#decoder.decode(this.#ids).slice(this.#taken), () => 0);
  }

  #give(piece: string, heldBackOf: (text: string, stops: readonly string[]) => number): string {
    if (this.#isStopped) return '';
    const text = this.#held + piece;
    const stop = firstStop(text, this.#stops);
    this.#isStopped = stop !== undefined;
    const end = stop ?? text.length - heldBackOf(text, this.#stops);
    this.#held = text.slice(end);
    return text.slice(0, end);
  }
}

/**
 * Whether one of some texts ends within the last token of a list, for `GenerationOptions.isStopped`.
 *
 * @param stops none of them empty
 */
export function stopTest(
  decoder: TokenDecoder,
  stops: readonly string[],
): (made: readonly number[]) => boolean {
  // A token has a byte at least, or no text at all: special ones.
  const most = Math.max(...stops.map((stop) => new TextEncoder().encode(stop).length)) + CONTEXT;
  return (made) => firstStop(decoder.decode(made.slice(-most)), stops) !== undefined;
}

function firstStop(text: string, stops: readonly string[]): number | undefined {
  const found = stops.map((stop) => text.indexOf(stop)).filter((place) => place >= 0);
  return found.length > 0 ? Math.min(...found) : undefined;
}

/** How many characters at the end may be the beginning of a stop. */
function heldBack(text: string, stops: readonly string[]): number {
  let held = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > held; length--)
      if (text.endsWith(stop.slice(0, length))) held = length;
  }
  return held;
}
