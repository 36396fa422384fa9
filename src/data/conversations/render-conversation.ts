import { BrokenValue } from '../broken-value.ts';
import { type ChatTemplate, refusedAt, TemplateRefusal, withoutMarks } from './chat-template.ts';
import { type Conversation, isAnswer } from './conversation.ts';

/** A conversation as text. */
export interface RenderedConversation {
  readonly text: string;
  /** What the assistant wrote: [from, to) in UTF-16 units of the text, in order. */
  readonly answers: readonly (readonly [from: number, to: number])[];
}

/**
 * The text of a conversation, and which parts of it are answers: those that the template marks (`{% generation %}`), else what it
 * adds for each message of the assistant to the text that a model is asked to go on with. An answer has the token that ends it.
 *
 * @throws BrokenValue `conversation` for what the template refuses, and where its text before an answer depends on the answer
 */
export function renderConversation(template: ChatTemplate, conversation: Conversation): RenderedConversation {
  try {
    const rendered = template.marksAnswers
      ? byMarks(template, conversation)
      : byBeginnings(template, conversation);
    if (rendered.answers.some(([from, to]) => to > from)) return rendered;
  } catch (error) {
    if (!(error instanceof TemplateRefusal)) throw error;
    const at = refusedAt(template, conversation);
    throw new BrokenValue('conversation', `the chat template refuses ${at}: ${error.message}`);
  }
  throw new BrokenValue('conversation', 'the chat template writes no answer of the conversation');
}

function byMarks(template: ChatTemplate, conversation: Conversation): RenderedConversation {
  const { text, parts } = withoutMarks(template.write(conversation, false));
  return { text, answers: parts };
}

function byBeginnings(template: ChatTemplate, { messages, tools }: Conversation): RenderedConversation {
  const written = (count: number, generate = false) =>
    template.write({ messages: messages.slice(0, count), ...(tools && { tools }) }, generate);
  const text = written(messages.length);
  const answers: [number, number][] = [];
  for (const [i, message] of messages.entries()) {
    if (!isAnswer(message)) continue;
    const end = i + 1 === messages.length ? text : written(i + 1);
    // A conversation may begin with an answer, which not every template is asked for.
    const before = i === 0 ? '' : written(i);
    if (!text.startsWith(end) || !end.startsWith(before)) {
      throw new BrokenValue(
        'conversation',
        `what the chat template writes before the answer in message ${i + 1} changes with what follows; it has to mark answers with {% generation %}`,
      );
    }
    const start = sharedLength(i === 0 ? '' : written(i, true), end);
    answers.push([Math.max(start, before.length), answerEnd(end, start, message.content ?? '')]);
  }
  return { text, answers };
}

/** A model says no more after the token that ends its answer: the line's end that follows is not the answer's. */
function answerEnd(text: string, start: number, content: string): number {
  const at = text.indexOf(content.trim(), start);
  const said = at < 0 ? start : at + content.trim().length;
  return Math.max(said, text.trimEnd().length);
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}
