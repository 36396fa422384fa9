import { BrokenValue } from '../broken-value.ts';
import { NOT_UTF8, textOfBytes } from '../labels/label-value.ts';

/** What one side says, as chat templates read it. */
export interface Message {
  /** `system`, `user`, `assistant`, `tool`, ... */
  readonly role: string;
  readonly content: string | null;
  /** What else the row has: `name`, `tool_calls`, `reasoning_content`, ... */
  readonly [key: string]: unknown;
}

export interface Conversation {
  readonly messages: readonly Message[];
  /** The functions that the assistant may call, as JSON schemas. */
  readonly tools?: readonly unknown[];
}

/** Who is to be learnt from. */
export const ANSWERS = 'assistant';

/** Roles that are shown of a conversation without an answer. */
const MOST_ROLES = 5;

/** Records in records, at most. */
const DEEPEST = 16;

/**
 * The messages of a conversation as a column of a row holds them: a list of `{ role, content }`. A content may be a list of
 * texts (`{ type: 'text', text }`), which follow each other. The list may be its JSON text, which is all that a CSV file can hold.
 *
 * @param field the column, for errors
 * @throws BrokenValue `conversation` for what is none, and for one in which the assistant says nothing
 */
export function messagesOf(value: unknown, field: string): Message[] {
  const list = listOf(value, `'${field}'`);
  if (!Array.isArray(list)) throw broken(`'${field}' is not a list of messages with role and content`);
  if (list.length === 0) throw broken(`'${field}' has no messages`);
  const messages = list.map((one: unknown, i) => messageOf(one, `'${field}'[${i}]`));
  if (!messages.some(isAnswer)) {
    const roles = [...new Set(messages.map(({ role }) => role))];
    const others = roles.includes(ANSWERS) ? '' : `; its roles are ${shownRoles(roles)}`;
    throw broken(`the conversation in '${field}' has no answer (a message of the role ${ANSWERS})${others}`);
  }
  return messages;
}

function shownRoles(roles: readonly string[]): string {
  const some = roles.slice(0, MOST_ROLES).map((role) => role.slice(0, 40));
  return `${some.join(', ')}${roles.length > MOST_ROLES ? ', ...' : ''}`;
}

/** What a text has as JSON; the value itself where it is none. */
function listOf(value: unknown, where: string): unknown {
  const text = textOfBytes(value);
  if (typeof text !== 'string' || !text.trimStart().startsWith('[')) return value;
  try {
    return JSON.parse(text);
  } catch {
    throw broken(`${where} is text that begins as a JSON list, and is not JSON`);
  }
}

/** Whether something is said that a student can learn. */
export function isAnswer({ role, content, tool_calls: calls }: Message): boolean {
  return role === ANSWERS && ((content ?? '').trim() !== '' || (Array.isArray(calls) && calls.length > 0));
}

function messageOf(value: unknown, where: string): Message {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw broken(`${where} is not a message with role and content`);
  }
  const { role, content, ...rest } = plain(value, where) as Record<string, unknown>;
  if (typeof role !== 'string' || role.trim() === '') {
    const hint = 'from' in rest && 'value' in rest ? ' (rename from and value to role and content)' : '';
    throw broken(`${where} has no role${hint}`);
  }
  const others = Object.entries(rest).filter(([, one]) => one !== null && one !== undefined);
  const message = { ...Object.fromEntries(others), role, content: contentOf(content, where) } as Message;
  return message.tool_calls === undefined
    ? message
    : { ...message, tool_calls: callsOf(message.tool_calls, where) };
}

/** Calls of tools, with their arguments as values: APIs give them as JSON text, templates write them as JSON themselves. */
function callsOf(calls: unknown, where: string): unknown[] {
  if (!Array.isArray(calls)) throw broken(`tool_calls of ${where} is not a list`);
  return calls.map((call: unknown, i) => {
    if (!isRecord(call)) throw broken(`tool_calls[${i}] of ${where} is not a call with a name and arguments`);
    if (isRecord(call.function)) return { ...call, function: withArguments(call.function) };
    return withArguments(call);
  });
}

function withArguments(call: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (typeof call.arguments !== 'string') return { ...call };
  try {
    const read = JSON.parse(call.arguments) as unknown;
    return isRecord(read) ? { ...call, arguments: read } : { ...call };
  } catch {
    // Text that is no JSON is written as it is.
    return { ...call };
  }
}

/**
 * The tools of a conversation as a column of a row holds them: a list of JSON schemas, or the JSON text of one. Undefined for none.
 *
 * @param field the column, for errors
 * @throws BrokenValue `conversation` for what is none
 */
export function toolsOf(value: unknown, field: string): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined;
  let list = plain(value, `'${field}'`);
  if (typeof list === 'string') {
    if (list.trim() === '') return undefined;
    try {
      list = JSON.parse(list);
    } catch {
      throw broken(`'${field}' is no JSON list of tools`);
    }
  }
  if (!Array.isArray(list) || !list.every(isRecord))
    throw broken(`'${field}' is not a list of tools, each a JSON schema`);
  return list.length > 0 ? list : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function contentOf(content: unknown, where: string): string | null {
  if (content === null || content === undefined) return null;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw broken(`the content of ${where} is not text`);
  return content
    .map((part: { type?: unknown; text?: unknown } | null) => {
      if (typeof part?.text === 'string' && (part.type ?? 'text') === 'text') return part.text;
      throw broken(`the content of ${where} has a part of the type ${String(part?.type)}, not text`);
    })
    .join('');
}

/** As JSON has it: bytes are texts, whole numbers of Parquet are numbers. */
function plain(value: unknown, where: string, depth = 0): unknown {
  if (depth > DEEPEST) throw broken(`${where} is nested more than ${DEEPEST} deep`);
  if (typeof value === 'bigint') return Number(value);
  const text = textOfBytes(value);
  if (text === NOT_UTF8) throw broken(`${where} has bytes that are not UTF-8`);
  if (typeof text === 'string') {
    if (/\p{Surrogate}/u.test(text)) throw broken(`${where} has half of a surrogate pair`);
    return text;
  }
  if (Array.isArray(value)) return value.map((one) => plain(one, where, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one, where, depth + 1)]));
}

function broken(problem: string): BrokenValue {
  return new BrokenValue('conversation', problem);
}
