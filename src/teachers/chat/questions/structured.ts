import type { Head } from '../../../targets/head.ts';
import { messagesFor, type PromptParts } from '../prompt.ts';
import type { Reading, ReplyChoice, Unanswered } from '../reply.ts';
import {
  type AskedText,
  type Question,
  type QuestionContext,
  samplingOf,
  withoutAnswer,
} from './question.ts';

/** A question whose answer is an object. */
export interface StructuredParts<Answer> {
  readonly context: QuestionContext;
  readonly dims: Question['dims'];
  readonly usual: string;
  readonly classes?: readonly string[];
  /** JSON schema of the answer. */
  readonly schema: Record<string, unknown>;
  /** Tokens of an answer, about. */
  readonly answerTokens: number;
  /** The answer's content, if it is one; why not, otherwise. */
  parse(value: Readonly<Record<string, unknown>>, sample: AskedText): Answer | Unanswered;
  /** Numbers from all answers that could be read. */
  values(answers: readonly Answer[], sample: AskedText): Float32Array;
  readonly readAs: object;
}

/** Asks for an object, by a JSON schema where the endpoint keeps to one, and by words. */
export function structuredQuestion<Answer>(parts: StructuredParts<Answer>): Question {
  const { context, schema, usual, classes = [], dims, answerTokens } = parts;
  const { head, choice, structured, mode } = context;
  const { wanted, temperature } = samplingOf(context);
  const maxTokens = choice.maxTokens ?? 1024;
  const shown = `${usual}\nAnswer with a JSON object of this schema, and with nothing else:\n${JSON.stringify(schema)}`;
  const prompt: PromptParts = {
    choice,
    usual: shown,
    classes: classes.map((name) => ({ code: name, name })),
  };
  const form = structured ? { name: nameOf(head), schema } : undefined;
  return {
    output: head.output,
    dims,
    mode,
    wanted,
    asked: { messages: messagesFor(prompt, '{text}'), temperature, maxTokens, form },
    readAs: parts.readAs,
    answerTokens,
    ask: (text) => ({ messages: messagesFor(prompt, text), temperature, maxTokens, schema: form }),
    read(choices, sample): Reading {
      const answers: Answer[] = [];
      let none: Unanswered | undefined;
      for (const one of choices) {
        const read = readObject(one);
        const answer = typeof read === 'string' ? read : parts.parse(read, sample);
        if (isReason(answer)) none ??= answer;
        else answers.push(answer);
      }
      return answers.length > 0 ? { values: parts.values(answers, sample) } : { unanswered: none ?? 'empty' };
    },
  };
}

function isReason(value: unknown): value is Unanswered {
  return typeof value === 'string';
}

/** The object of an answer, also between marks of code. */
function readObject(answer: ReplyChoice): Readonly<Record<string, unknown>> | Unanswered {
  const none = withoutAnswer(answer);
  if (none) return none;
  const text = (answer.text as string).trim();
  const inner = /^```(?:[a-z]*\s)?([\s\S]*?)\s*```$/i.exec(text)?.[1] ?? text;
  try {
    const value: unknown = JSON.parse(inner);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : 'outside';
  } catch {
    return 'prose';
  }
}

/** Names of schemas are letters, digits, underscores and dashes. */
function nameOf({ output }: Head): string {
  return output.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64);
}

/** An object with these properties and no others, as strict schemas want it. */
export function objectSchema(properties: Record<string, unknown>): Record<string, unknown> {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}
