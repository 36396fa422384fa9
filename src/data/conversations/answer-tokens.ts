import { partsOf } from '../corpus/document-pieces.ts';
import type { Tokenizer } from '../modalities/text/tokenizer/tokenizer.ts';
import type { RenderedConversation } from './render-conversation.ts';

/** The tokens of a conversation. */
export interface ConversationTokens {
  readonly ids: readonly number[];
  /** 1 for a token of an answer, 0 for the others. */
  readonly answered: Uint8Array;
}

/**
 * The tokens of a rendered conversation, and which of them the assistant wrote. The text is read as a whole, without special tokens
 * of the tokenizer's own: the template writes them. A token across the beginning or the end of an answer is the answer's.
 */
export function conversationTokens(
  tokenizer: Pick<Tokenizer, 'encodePlain'>,
  { text, answers }: RenderedConversation,
): ConversationTokens {
  const tokens = (part: string) => [...partsOf(part)].flatMap((one) => tokenizer.encodePlain(one.part));
  const ids = tokens(text);
  const answered = new Uint8Array(ids.length);
  for (const [from, to] of answers) {
    if (to === from) continue;
    const first = sharedTokens(ids, tokens(text.slice(0, from)));
    const beginning = tokens(text.slice(0, to));
    const shared = sharedTokens(ids, beginning);
    answered.fill(1, first, shared < beginning.length ? shared + 1 : shared);
  }
  return { ids, answered };
}

/** How many tokens a beginning of a text has in common with the whole. */
function sharedTokens(whole: readonly number[], beginning: readonly number[]): number {
  let count = 0;
  while (count < beginning.length && whole[count] === beginning[count]) count++;
  return count;
}
