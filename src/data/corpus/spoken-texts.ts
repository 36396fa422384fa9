import { BrokenValue } from '../broken-value.ts';
import { type Message, messagesOf } from '../conversations/conversation.ts';
import type { DataSource, Sample, SourceRow } from '../sample.ts';

/**
 * A source of conversations as texts: what is said in each, message by message, without roles and special tokens. A vocabulary is
 * learnt from that before there is a tokenizer whose template could write conversations.
 */
export function spokenTexts(source: DataSource, field: string): DataSource {
  return {
    ...source,
    title: source.title,
    fingerprint: async () => `${await source.fingerprint()}, spoken`,
    async *rows(signal) {
      for await (const row of source.rows(signal)) yield 'sample' in row ? spoken(row.sample, field) : row;
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

function spoken(sample: Sample, field: string): SourceRow {
  try {
    const said = spokenText(messagesOf(sample.values[field], field));
    return { sample: { ...sample, values: { ...sample.values, [field]: said } } };
  } catch (error) {
    if (!(error instanceof BrokenValue)) throw error;
    const { where, id, excerpt } = sample;
    const broken = { where: where ?? id ?? 'a row', problem: error.message, reason: error.reason };
    return { broken: { ...broken, ...(excerpt !== undefined && { excerpt }) } };
  }
}
