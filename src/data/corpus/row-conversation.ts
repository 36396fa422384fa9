import { type Conversation, messagesOf, toolsOf } from '../conversations/conversation.ts';
import type { Sample } from '../sample.ts';
import { documentId } from './document-id.ts';

/** Where a row has a conversation. */
export interface ConversationColumns {
  /** The column with the messages. */
  readonly field: string;
  /** The column with the tools that the assistant of a row may call; none when absent. */
  readonly tools?: string | undefined;
}

/** The conversation of a row. @throws BrokenValue `conversation` for a row that has none */
export function conversationOf(
  { values }: Sample,
  { field, tools: column }: ConversationColumns,
): Conversation {
  const tools = column === undefined ? undefined : toolsOf(values[column], column);
  const messages = messagesOf(values[field], field);
  return { messages, ...(tools && { tools }) };
}

/**
 * What a conversation is known by whose row has no id: all that a template can write of it, before there is a template. Keys of a
 * message have no order; inside of calls and tools they do, for templates write those as JSON.
 */
export function conversationId({ messages, tools }: Conversation): string {
  const sorted = messages.map((message) => Object.entries(message).sort(([a], [b]) => (a < b ? -1 : 1)));
  return documentId(JSON.stringify([sorted, ...(tools ? [tools] : [])]));
}
