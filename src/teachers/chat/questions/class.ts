import { classesOf } from '../../../targets/head.ts';
import { classCodes } from '../class-codes.ts';
import { labelShares } from '../class-scores.ts';
import { messagesFor } from '../prompt.ts';
import type { Reading, ReplyChoice, Unanswered } from '../reply.ts';
import { logitsOfShares, smoothedVotes } from '../soft-answers.ts';
import { type Question, type QuestionContext, samplingOf, withoutAnswer } from './question.ts';

const CODED =
  'Classify the text that the user sends. These are the classes:\n{classes}\nAnswer with the letter or number of the one class that fits best, and with nothing else.';
const NAMED =
  'Classify the text that the user sends. These are the classes:\n{classes}\nAnswer with the name of the one class that fits best, and with nothing else.';

/** The most alternatives that OpenAI's API lists. */
const ALTERNATIVES = 20;
/** With less of the probability on the classes, the answer is not one of them. */
const LEAST_INSIDE = 0.5;

/** Which of the classes a text has. */
export function classQuestion(context: QuestionContext): Question {
  const { head, choice, mode } = context;
  const names = classesOf(head);
  const codes = choice.labels === 'codes' ? classCodes(names.length) : [...names];
  const classes = names.map((name, i) => ({ name, code: codes[i] as string }));
  const prompt = { choice, usual: choice.labels === 'codes' ? CODED : NAMED, classes };
  const { wanted, temperature } = samplingOf(context);
  const longest = Math.max(...codes.map(({ length }) => length));
  const maxTokens = choice.maxTokens ?? (choice.labels === 'codes' ? 8 : 8 + longest);
  const alternatives = mode === 'logprobs' ? ALTERNATIVES : undefined;
  return {
    output: head.output,
    dims: [names.length],
    mode,
    wanted,
    asked: { messages: messagesFor(prompt, '{text}'), temperature, maxTokens, alternatives },
    readAs: { codes, ...(mode === 'logprobs' ? {} : { smoothing: choice.smoothing }) },
    answerTokens: choice.labels === 'codes' ? 1 : Math.ceil(longest / 4),
    ask: (text) => ({ messages: messagesFor(prompt, text), temperature, maxTokens, alternatives }),
    read: (choices) =>
      mode === 'logprobs'
        ? readChances(choices[0] as ReplyChoice, codes)
        : readVotes(choices, { codes, names, smoothing: choice.smoothing }),
  };
}

function readChances(answer: ReplyChoice, codes: readonly string[]): Reading {
  if (answer.refused) return { unanswered: 'refused' };
  if (!answer.tokens) return { unanswered: withoutAnswer(answer) ?? 'empty' };
  const { shares, outside } = labelShares(answer.tokens, codes);
  if (!(1 - outside >= LEAST_INSIDE)) return { unanswered: kindOfText(answer.text ?? '') };
  return { values: logitsOfShares(shares) };
}

function readVotes(
  choices: readonly ReplyChoice[],
  { codes, names, smoothing }: { codes: readonly string[]; names: readonly string[]; smoothing: number },
): Reading {
  const votes = new Float64Array(codes.length);
  let none: Unanswered | undefined;
  for (const answer of choices) {
    // An answer that is cut behind its letter is one.
    const found = answer.refused || answer.text === null ? -1 : classIn(answer.text, codes, names);
    if (found >= 0) votes[found]! += 1;
    else none ??= withoutAnswer(answer) ?? kindOfText(answer.text ?? '');
  }
  if (votes.every((count) => count === 0)) return { unanswered: none ?? 'empty' };
  return { values: logitsOfShares(smoothedVotes(votes, smoothing)) };
}

/** The class that an answer is, -1 for another one: its code or its name, and no more than marks around it. */
export function classIn(answer: string, codes: readonly string[], names: readonly string[]): number {
  const said = bare(answer);
  const byCode = codes.findIndex((code) => bare(code) === said);
  if (byCode >= 0) return byCode;
  const byName = names.findIndex((name) => bare(name) === said);
  if (byName >= 0) return byName;
  return codes.findIndex((code, i) => `${bare(code)}) ${bare(names[i] as string)}` === said);
}

function bare(text: string): string {
  return text
    .trim()
    .replace(/^```[a-z]*\s+/i, '')
    .replace(/^["'`*([]+|["'`*.)\]\s]+$/g, '')
    .trim()
    .toLowerCase();
}

/** A few words are another class, more are prose. */
function kindOfText(text: string): Unanswered {
  if (text.trim() === '') return 'empty';
  return text.trim().split(/\s+/).length > 4 ? 'prose' : 'outside';
}
