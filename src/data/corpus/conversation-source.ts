import { LimbeckError } from '../../errors.ts';
import { createSha256 } from '../../platform/hash.ts';
import { BrokenValue } from '../broken-value.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { Conversation } from '../conversations/conversation.ts';
import { renderConversations } from '../conversations/render-conversations.ts';
import type { TemplatePiece } from '../conversations/template-decoder.ts';
import type { ChatTemplateSource } from '../modalities/text/tokenizer/chat-template-source.ts';
import type { DataSource, Sample, SourceRow } from '../sample.ts';
import { conversationPieces } from './conversation-pieces.ts';
import type { CorpusOptions } from './corpus-source.ts';
import { pieceId } from './document-id.ts';
import { type ConversationColumns, conversationId, conversationOf } from './row-conversation.ts';

/** Changes when the same conversations would become other pieces. */
const FORMAT = 3;

/** Conversations that a template writes one after another before they are read on, at most, and the characters in them. */
const AT_ONCE = { conversations: 256, characters: 2 ** 20 };

export interface ConversationOptions extends CorpusOptions, ConversationColumns {
  /** How conversations are written: the tokenizer's `chatTemplate`. */
  readonly template: ChatTemplateSource;
}

/** A row with a conversation, or what a source says besides. */
type Waiting = { readonly row: SourceRow } | { readonly sample: Sample; readonly conversation: Conversation };

/**
 * A source of conversations (rows with a list of messages, `{ role, content }`) as pieces of their texts, in which the answers are
 * asked for and nothing else (`conversationPieces`). Rows that are no conversations, or that the template refuses, are broken.
 *
 * @throws LimbeckError `tokenizer.template`, as the rows are read
 */
export function conversationSource(source: DataSource, options: ConversationOptions): DataSource {
  const { tokenizer, maxLength, field, template, tools } = options;
  return {
    title: source.title,
    async fingerprint() {
      const { template: text, tokens } = template;
      const pieces = {
        format: FORMAT,
        tokenizer: tokenizer.hash,
        maxLength,
        field,
        tools,
        template: text,
        tokens,
      };
      return createSha256()
        .update(await source.fingerprint())
        .update(canonicalJson(pieces))
        .digest('hex');
    },
    async *rows(signal) {
      let waiting: Waiting[] = [];
      let characters = 0;
      for await (const row of source.rows(signal)) {
        const one = 'sample' in row ? conversationIn(row.sample, { field, tools }) : { row };
        waiting.push(one);
        if ('conversation' in one) characters += sizeOf(one.conversation);
        if (waiting.length < AT_ONCE.conversations && characters < AT_ONCE.characters) continue;
        yield* written(waiting, options, signal);
        waiting = [];
        characters = 0;
      }
      yield* written(waiting, options, signal);
    },
  };
}

function conversationIn(sample: Sample, columns: ConversationColumns): Waiting {
  try {
    return { sample, conversation: conversationOf(sample, columns) };
  } catch (error) {
    if (error instanceof BrokenValue) return { row: brokenRow(sample, error.message) };
    throw error;
  }
}

/** In the order of the source. */
async function* written(
  waiting: readonly Waiting[],
  { template, tokenizer, maxLength, field }: ConversationOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<SourceRow> {
  const conversations = waiting.flatMap((one) => ('conversation' in one ? [one.conversation] : []));
  const texts = renderConversations(template, conversations, { signal });
  for (const one of waiting) {
    if ('row' in one) {
      yield one.row;
      continue;
    }
    const { sample } = one;
    const value = await textOf(texts, sample);
    if ('problem' in value) {
      yield brokenRow(sample, value.problem);
      continue;
    }
    const { id, values } = sample;
    const document = id ?? conversationId(one.conversation);
    const group = sample.group ?? document;
    let number = 0;
    for (const piece of conversationPieces(value.rendered, tokenizer, maxLength)) {
      const own = pieceId(document, ++number);
      yield { sample: { ...sample, id: own, group, values: { ...values, [field]: piece } } };
    }
    if (number === 0) yield brokenRow(sample, `the answers in '${field}' have no tokens`);
  }
  // At its end, the process is left to the next ones.
  if (conversations.length > 0) await texts.next();
}

async function textOf(texts: AsyncGenerator<TemplatePiece>, { where }: Sample): Promise<TemplatePiece> {
  try {
    const { value } = await texts.next();
    if (value) return value as TemplatePiece;
  } catch (error) {
    if (!(error instanceof LimbeckError) || error.code !== 'tokenizer.template' || !where) throw error;
    const { message, where: file, remedy, cause } = error;
    throw new LimbeckError(error.code, message, {
      where: `${file}, for ${where}`,
      ...(remedy && { remedy }),
      cause,
    });
  }
  throw new Error('a conversation was not written');
}

function brokenRow({ where, id, excerpt }: Sample, problem: string): SourceRow {
  const row = { where: where ?? id ?? 'a row', problem, reason: 'conversation' as const };
  return { broken: { ...row, ...(excerpt !== undefined && { excerpt }) } };
}

function sizeOf({ messages }: Conversation): number {
  return messages.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
}
