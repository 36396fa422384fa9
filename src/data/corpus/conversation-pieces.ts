import { utf8Of } from '../../platform/bytes.ts';
import { conversationTokens } from '../conversations/answer-tokens.ts';
import type { RenderedConversation } from '../conversations/render-conversation.ts';
import { NOT_ASKED, TokenPiece } from '../modalities/text/token-piece.ts';
import type { Tokenizer } from '../modalities/text/tokenizer/tokenizer.ts';

/**
 * A conversation in pieces of at most `maxLength` tokens, which ask for the tokens of its answers alone. Pieces without an answer
 * are left out.
 */
export function* conversationPieces(
  rendered: RenderedConversation,
  tokenizer: Tokenizer,
  maxLength: number,
): Generator<TokenPiece> {
  const { ids, answered } = conversationTokens(tokenizer, rendered);
  const { text, answers } = rendered;
  const bytes = answers.reduce((sum, [from, to]) => sum + utf8Of(text.slice(from, to)).length, 0);
  const bytesPerToken =
    bytes /
    Math.max(
      1,
      answered.reduce((sum, one) => sum + one, 0),
    );
  for (let from = 0; from + 1 < ids.length; from += maxLength) {
    const piece = ids.slice(from, from + maxLength);
    const next = piece.map((_, i) => {
      const at = from + i + 1;
      return answered[at] === 1 ? (ids[at] as number) : NOT_ASKED;
    });
    const asked = next.filter((id) => id !== NOT_ASKED).length;
    if (asked === 0) continue;
    const isWhole = from === 0 && piece.length === ids.length;
    yield new TokenPiece({
      ids: piece,
      next,
      text: isWhole ? text : tokenizer.decode(piece),
      bytes: bytesPerToken * asked,
    });
  }
}
