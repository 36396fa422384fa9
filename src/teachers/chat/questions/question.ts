import type { Tokenizer } from '../../../data/modalities/text/tokenizer/tokenizer.ts';
import type { Head } from '../../../targets/head.ts';
import type { TeacherOutput } from '../../teacher.ts';
import type { ChatQuestion } from '../endpoint.ts';
import type { ChatChoice } from '../options.ts';
import type { Reading, ReplyChoice, Unanswered } from '../reply.ts';

/** How an answer becomes numbers: from log-probabilities, from several answers, from one. */
export type AnswerMode = 'logprobs' | 'votes' | 'hard';

/** A text that is asked about. */
export interface AskedText {
  readonly text: string;
  /** Its tokens, as the student reads it; for answers about tokens. */
  readonly length?: number | undefined;
}

/** How a hosted model is asked about one output, and how its answers are read. */
export interface Question {
  readonly output: string;
  /** The shape of an answer, without the batch. */
  readonly dims: TeacherOutput['dims'];
  readonly mode: AnswerMode;
  /** How many answers to each sample are wanted. */
  readonly wanted: number;
  /** What the endpoint is sent besides the text: the same, the same answers. */
  readonly asked: object;
  /** How answers are read: what the numbers depend on besides the answers. */
  readonly readAs: object;
  /** Tokens of an answer, about. */
  readonly answerTokens: number;
  ask(text: string): ChatQuestion;
  read(choices: readonly ReplyChoice[], sample: AskedText): Reading;
}

export interface QuestionContext {
  readonly head: Head;
  readonly choice: ChatChoice;
  readonly mode: AnswerMode;
  /** Whether answers come in the form of a JSON schema. */
  readonly structured: boolean;
  /** Of the student: what answers about tokens are counted in. */
  readonly tokenizer?: Tokenizer | undefined;
}

/** What keeps an answer from being read, before its content is looked at; undefined where nothing does. */
export function withoutAnswer({ refused, finish, text }: ReplyChoice): Unanswered | undefined {
  if (refused) return 'refused';
  if (finish === 'length') return 'cut';
  return text === null || text.trim() === '' ? 'empty' : undefined;
}

/** How often each model is asked, and how it is sampled. */
export function samplingOf({ choice, mode }: Pick<QuestionContext, 'choice' | 'mode'>): {
  readonly wanted: number;
  readonly temperature: number;
} {
  const votes = mode === 'votes';
  return { wanted: votes ? choice.votes : 1, temperature: choice.samplingTemperature ?? (votes ? 1 : 0) };
}
