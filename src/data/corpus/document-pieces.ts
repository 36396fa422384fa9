import { utf8Of } from '../../platform/bytes.ts';
import { NOT_ASKED, TokenPiece } from '../modalities/text/token-piece.ts';
import type { Tokenizer } from '../modalities/text/tokenizer/tokenizer.ts';

/** Characters that are cut into tokens at once: a book is read in parts of this size, at a line's or a word's end. */
const LONGEST_PART = 50_000;

/** The tokens that stand before and after every document. */
export interface DocumentFrame {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * The tokens before and after a document: those that the tokenizer puts there and, where it puts none after, its end-of-text
 * token.
 */
export function documentFrame(tokenizer: Tokenizer): DocumentFrame {
  const { before, after } = tokenizer.frame;
  const framed = tokenizer.encode('');
  const ends = after > 0 ? framed.slice(framed.length - after) : tokenizer.endOfText;
  return { before: framed.slice(0, before), after: ends };
}

/**
 * A document in pieces of at most `maxLength` tokens, none of which is in two pieces. A piece asks for the token after each of
 * its own, the last one for the first of the next piece; before the first token of a document nothing is asked.
 */
export function* documentPieces(
  text: string,
  tokenizer: Tokenizer,
  maxLength: number,
): Generator<TokenPiece> {
  const { before, after } = documentFrame(tokenizer);
  const bytesPerCharacter = utf8Of(text).length / Math.max(1, text.length);
  const waiting: number[] = [...before];
  let isWhole = true;
  for (const { part, last } of partsOf(text)) {
    const ids = tokenizer.encodePlain(part);
    waiting.push(...ids);
    if (last) waiting.push(...after);
    // Its bytes are shared by what is asked in proportion: tokens of one document are about as long.
    const bytesPerToken =
      (bytesPerCharacter * part.length) / Math.max(1, ids.length + (last ? after.length : 0));
    // A token more than a piece has is what the last of its tokens is asked for.
    while (waiting.length > maxLength || (last && waiting.length > 0)) {
      const next = waiting.slice(1, maxLength + 1);
      const piece = waiting.splice(0, maxLength);
      const asked = [...next, ...(next.length < piece.length ? [NOT_ASKED] : [])];
      isWhole &&= last && waiting.length === 0;
      if (next.length > 0)
        yield new TokenPiece({
          ids: piece,
          next: asked,
          text: isWhole ? text : tokenizer.decode(piece),
          bytes: bytesPerToken * next.length,
        });
    }
  }
}

/** The parts of a text that are cut into tokens one after another. */
export function* partsOf(text: string): Generator<{ readonly part: string; readonly last: boolean }> {
  let from = 0;
  while (from < text.length) {
    const to = from + LONGEST_PART >= text.length ? text.length : endOfPart(text, from);
    yield { part: text.slice(from, to), last: to === text.length };
    from = to;
  }
}

/** Before a character that begins a line or, where no line ends, a word; never between two halves of a character. */
function endOfPart(text: string, from: number): number {
  const end = from + LONGEST_PART;
  const line = text.lastIndexOf('\n', end - 1);
  if (line > from + LONGEST_PART / 2) return line + 1;
  const space = text.lastIndexOf(' ', end - 1);
  if (space > from + LONGEST_PART / 2) return space;
  const code = text.charCodeAt(end);
  return code >= 0xdc00 && code <= 0xdfff ? end - 1 : end;
}
