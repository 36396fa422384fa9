import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { LimbeckError } from '../../errors.ts';
import type { ChatTemplateSource } from '../modalities/text/tokenizer/chat-template-source.ts';
import type { Conversation, Message } from './conversation.ts';
import { TEMPLATE_GLOBALS } from './template-globals.ts';

/** Characters of a text that a template writes, at most. */
const LONGEST = 16 * 2 ** 20;

/** A template that cannot write a conversation: what it says, and at which message. */
export class TemplateRefusal extends Error {}

/** Where the parts that the assistant wrote begin and end, where a template marks them: signs that no text has. */
interface Marks {
  readonly start: string;
  readonly end: string;
}

/** What is never in a text: Unicode's noncharacters. */
const MARKS: Marks = { start: '\ufdd0', end: '\ufdd1' };

const GENERATION = /(\s*)\{%(-?)\s*(end)?generation\s*(-?)%\}(\s*)/g;

/**
 * A chat template that is read once and writes many conversations. As transformers does, a line's end after a block and spaces
 * before one are left out, and `{% generation %}` marks what the assistant wrote.
 *
 * Templates are code of whoever made the model: one from outside is run by `renderConversations`, which sets limits.
 *
 * @throws LimbeckError `tokenizer.template` for a text that is no template
 */
export class ChatTemplate {
  /** Whether `{% generation %}` says what the assistant wrote. */
  readonly marksAnswers: boolean;
  readonly #program: ReturnType<typeof parse>;
  readonly #tokens: ChatTemplateSource['tokens'];

  constructor({ template, tokens, where }: ChatTemplateSource) {
    if (template.includes(MARKS.start) || template.includes(MARKS.end)) {
      throw unreadable('it has characters that no text has (U+FDD0, U+FDD1)', where);
    }
    // The library leaves the marks out, so they are put there as text first.
    const marked = trimmed(template).replace(
      GENERATION,
      (_, before: string, strip: string, end: string | undefined, stripAfter: string, after: string) =>
        `${strip ? '' : before}${end ? MARKS.end : MARKS.start}${stripAfter ? '' : after}`,
    );
    this.marksAnswers = marked.includes(MARKS.start);
    this.#tokens = tokens;
    try {
      this.#program = parse(tokenize(marked));
    } catch (cause) {
      // The library looks at a token that is not there any more.
      const problem = cause instanceof TypeError ? 'it ends inside of a block' : (cause as Error).message;
      throw unreadable(problem, where, cause);
    }
  }

  /**
   * The text of a conversation, with `MARKS` where the template has them.
   *
   * @param generate whether the text ends where the assistant is to speak
   * @throws TemplateRefusal what the template raises, and what it does that cannot be done
   */
  write({ messages, tools }: Conversation, generate: boolean): string {
    const environment = new Environment();
    const given = {
      ...TEMPLATE_GLOBALS,
      ...this.#tokens,
      messages,
      tools: tools ?? null,
      documents: null,
      add_generation_prompt: generate,
    };
    for (const [name, value] of Object.entries(given)) {
      if (value !== undefined) environment.set(name, value);
    }
    let text: string;
    try {
      const written = new Interpreter(environment).run(this.#program) as { value: unknown };
      text = String(written.value);
    } catch (cause) {
      const { message } = cause as Error;
      throw new TemplateRefusal(message, { cause });
    }
    if (text.length > LONGEST) throw new TemplateRefusal(`it writes ${text.length} characters`);
    return text;
  }
}

/**
 * The place at which a template refuses a conversation: the shortest beginning that it refuses too ends there.
 *
 * @returns `message 2 (user)`
 */
export function refusedAt(template: ChatTemplate, { messages, tools }: Conversation): string {
  const refuses = (count: number) => {
    try {
      template.write({ messages: messages.slice(0, count), ...(tools && { tools }) }, false);
      return false;
    } catch {
      return true;
    }
  };
  const count = messages.findIndex((_, i) => refuses(i + 1)) + 1 || messages.length;
  return `message ${count} (${(messages[count - 1] as Message).role})`;
}

/** A text without its marks, and where they were: [from, to) in UTF-16 units. */
export function withoutMarks(marked: string): { text: string; parts: [number, number][] } {
  const parts: [number, number][] = [];
  let text = '';
  let start = 0;
  for (const piece of marked.split(/([\ufdd0\ufdd1])/)) {
    if (piece === MARKS.start) start = text.length;
    else if (piece === MARKS.end) parts.push([start, text.length]);
    else text += piece;
  }
  return { text, parts };
}

/** `lstrip_blocks` and `trim_blocks` of Jinja, as transformers sets them. */
function trimmed(template: string): string {
  return template.replace(/^[ \t]*(\{[#%-])/gm, '$1').replace(/([#%-]\})\n/g, '$1');
}

function unreadable(problem: string, where: string, cause?: unknown): LimbeckError {
  return new LimbeckError('tokenizer.template', `the chat template cannot be read: ${problem}`, {
    where,
    remedy: "Check chat_template in the tokenizer's files: it has to be a Jinja template.",
    cause,
  });
}
