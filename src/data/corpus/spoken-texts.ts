import { BrokenValue } from '../broken-value.ts';
import type { Message } from '../conversations/conversation.ts';
import type { DataSource, Sample, SourceRow } from '../sample.ts';
import { type ConversationColumns, conversationId, conversationOf } from './row-conversation.ts';

/**
 * A source of conversations as texts: what is said in each, message by message, without roles and special tokens. A vocabulary is
 * learnt from that before there is a tokenizer whose template could write conversations. Rows have the ids that they have as conversations, so that
 * both fall into the same splits.
 */
export function spokenTexts(source: DataSource, columns: ConversationColumns): DataSource {
  return {
    ...source,
    title: source.title,
    fingerprint: async () => `${await source.fingerprint()}, spoken 2 ${columns.tools ?? ''}`,
    async *rows(signal) {
      for await (const row of source.rows(signal)) yield 'sample' in row ? spoken(row.sample, columns) : row;
    },
  };
}

/** What is said in a conversation, a message a line, with the calls of tools as JSON. */
export function spokenText(messages: readonly Message[]): string {
  return messages
    .flatMap(({ content, tool_calls: calls }) => [
      ...(content === null ? [] : [content]),
      ...(calls === undefined ? [] : [JSON.stringify(calls)]),
    ])
    .join('\n');
}

function spoken(sample: Sample, columns: ConversationColumns): SourceRow {
  try {
    const conversation = conversationOf(sample, columns);
    const said = spokenText(conversation.messages);
    const id = sample.id ?? conversationId(conversation);
    return { sample: { ...sample, id, values: { ...sample.values, [columns.field]: said } } };
  } catch (error) {
    if (!(error instanceof BrokenValue)) throw error;
    const { where, id, excerpt } = sample;
    const broken = { where: where ?? id ?? 'a row', problem: error.message, reason: error.reason };
    return { broken: { ...broken, ...(excerpt !== undefined && { excerpt }) } };
  }
}
