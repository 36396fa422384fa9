import { LimbeckError } from '../../errors.ts';
import { hexOf } from '../../platform/bytes.ts';
import { logprobProblem } from './class-scores.ts';
import type { ChatEndpoint } from './endpoint.ts';
import type { ChatChoice } from './options.ts';
import { inPaidQueue } from './paid-queue.ts';
import type { AskedText, Question } from './questions/question.ts';
import { roughTokens } from './read-reply.ts';
import type { Reading, Reply, ReplyChoice, TokenUsage, Unanswered } from './reply.ts';
import type { Spending } from './spending.ts';

export interface AskedSample extends AskedText {
  readonly key: Uint8Array;
}

/** Where replies are kept before anything is made of them. */
export interface PaidReplies {
  replies(key: Uint8Array): Reply[];
  add(replies: readonly { readonly key: Uint8Array; readonly reply: Reply }[]): void;
}

/** The model that answers, as it is named first. */
export interface AnsweringModel {
  name: string | undefined;
  /** Whether the person was told that it is another one now. */
  hasWarned?: boolean;
}

export interface AskOptions {
  readonly choice: ChatChoice;
  readonly question: Question;
  readonly samples: Iterable<AskedSample>;
  readonly paid: PaidReplies;
  readonly spending: Spending;
  /** Which model answered first; the first reply tells, where nobody does. */
  readonly model: AnsweringModel;
  /** Hash of the question, for keys of idempotence. */
  readonly id: string;
  /** Opened when something is to be paid. */
  readonly endpoint: () => Promise<ChatEndpoint>;
  /** Keeps what an answer came to. */
  readonly onAnswer: (sample: AskedSample, reading: Reading) => Promise<void> | void;
  readonly onWarning: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What asking came to. */
export interface AskResult {
  readonly answered: number;
  /** By reason. */
  readonly unanswered: Readonly<Partial<Record<Unanswered, number>>>;
  /** Requests that were sent, and paid. */
  readonly requests: number;
}

/** With fewer samples a part of them tells nothing. */
const FEWEST_JUDGED = 50;
/** So many texts do not all have the very same probabilities. */
const SAME_CHANCES = 20;

/**
 * Asks a hosted model about samples, several at the same time. Every reply is kept the moment it is there; what an earlier run
 * paid for is not asked again. However it ends, requests that are on their way are waited for and kept, for they are paid.
 *
 * @throws LimbeckError `teacher.budget`, `teacher.model-changed`, `teacher.logprobs`, `teacher.unanswered`, those of the
 *   endpoint, and the reason of the signal
 */
export async function askSamples(options: AskOptions): Promise<AskResult> {
  const asking = new Asking(options);
  await inPaidQueue(
    options.choice,
    tasksOf(options.samples, (sample) => asking.ask(sample)),
    options.signal,
  );
  return asking.result;
}

function* tasksOf<T>(items: Iterable<T>, task: (item: T) => Promise<void>): Generator<() => Promise<void>> {
  for (const item of items) yield () => task(item);
}

class Asking {
  readonly #options: AskOptions;
  readonly #unanswered: Partial<Record<Unanswered, number>> = {};
  #answered = 0;
  #requests = 0;
  /** Tokens for a byte that is sent, as the endpoint counts: the most that was seen. */
  #tokensPerByte = 0.25;
  #chances: { first: string; same: number } | undefined;

  constructor(options: AskOptions) {
    this.#options = options;
  }

  get result(): AskResult {
    return { answered: this.#answered, unanswered: this.#unanswered, requests: this.#requests };
  }

  async ask(sample: AskedSample): Promise<void> {
    const { question, paid, onAnswer, signal } = this.#options;
    const replies = paid.replies(sample.key);
    for (const reply of replies) this.#examine(reply);
    while (choicesOf(replies).length < question.wanted) {
      signal?.throwIfAborted();
      const reply = await this.#pay(sample, replies.length, question.wanted - choicesOf(replies).length);
      replies.push(reply);
      this.#examine(reply);
    }
    const reading = question.read(choicesOf(replies).slice(0, question.wanted), sample);
    await onAnswer(sample, reading);
    if ('values' in reading) this.#answered++;
    else this.#count(reading.unanswered, choicesOf(replies)[0]);
  }

  async #pay(sample: AskedSample, place: number, count: number): Promise<Reply> {
    const { question, paid, spending, endpoint, id, signal } = this.#options;
    const asked = { ...question.ask(sample.text), count };
    const sent = asked.messages.map(({ content }) => content).join('\n');
    const bytes = roughTokens(sent) * 4;
    const aside: TokenUsage = {
      input: Math.ceil(bytes * this.#tokensPerByte),
      output: asked.maxTokens * count,
    };
    if (!spending.reserve(aside)) throw spending.exhausted();
    let usage: TokenUsage | undefined;
    try {
      const reply = await (await endpoint()).ask(asked, `${id}-${hexOf(sample.key)}-${place}`, signal);
      usage = reply.usage;
      paid.add([{ key: sample.key, reply }]);
      this.#requests++;
      this.#tokensPerByte = Math.max(this.#tokensPerByte, usage.input / Math.max(1, bytes));
      return reply;
    } finally {
      spending.settle(aside, usage);
    }
  }

  #examine(reply: Reply): void {
    const { question, onWarning, choice, model } = this.#options;
    // One that is not named is no other one.
    model.name ||= reply.model;
    if (reply.model !== '' && reply.model !== model.name) {
      const problem = `the answers come from '${reply.model}' now, before they came from '${model.name}'`;
      if (choice.onModelChange === 'stop') throw modelChanged(problem, choice);
      if (!model.hasWarned) onWarning(`${problem}; the student learns from both`);
      model.hasWarned = true;
    }
    if (question.mode === 'logprobs') this.#examineChances(reply);
  }

  #examineChances({ choices: [answer] }: Reply): void {
    const { choice } = this.#options;
    if (!answer || answer.refused) return;
    const tokens = answer.tokens;
    const problem = tokens
      ? logprobProblem(answer.text, tokens)
      : answer.text
        ? 'this answer has none'
        : undefined;
    if (problem) throw wrongChances(problem, choice);
    const chances = JSON.stringify(tokens?.[0]);
    if (this.#chances === undefined) this.#chances = { first: chances, same: 1 };
    else
      this.#chances.same =
        this.#chances.first === chances ? this.#chances.same + 1 : Number.NEGATIVE_INFINITY;
    if (this.#chances.same >= SAME_CHANCES)
      throw wrongChances(`${SAME_CHANCES} texts in a row have the very same ones`, choice);
  }

  #count(reason: Unanswered, answer: ReplyChoice | undefined): void {
    this.#unanswered[reason] = (this.#unanswered[reason] ?? 0) + 1;
    const none = Object.values(this.#unanswered).reduce((sum, count) => sum + count, 0);
    const asked = none + this.#answered;
    const { maxUnanswered } = this.#options.choice;
    if (asked < FEWEST_JUDGED || none <= maxUnanswered * asked) return;
    throw tooManyUnanswered(this.#unanswered, {
      asked,
      none,
      answer: answer?.text ?? '',
      choice: this.#options.choice,
    });
  }
}

function choicesOf(replies: readonly Reply[]): ReplyChoice[] {
  return replies.flatMap(({ choices }) => choices);
}

function modelChanged(problem: string, { model, baseURL }: ChatChoice): LimbeckError {
  return new LimbeckError('teacher.model-changed', problem, {
    where: `${baseURL}, model ${model}`,
    remedy:
      'Name a model with a date, which stays what it is, as teacher.model. To let one student learn from both: teacher.onModelChange: warn. All answers are kept.',
  });
}

function wrongChances(problem: string, { baseURL, model }: ChatChoice): LimbeckError {
  return new LimbeckError('teacher.logprobs', `the endpoint's log-probabilities are none: ${problem}`, {
    where: `${baseURL}, model ${model}`,
    remedy: 'Ask without them: teacher.answers: votes (or hard). All answers are kept.',
  });
}

/** `12 outside the list, 3 refused`. */
export function unansweredText(unanswered: AskResult['unanswered']): string {
  return Object.entries(unanswered)
    .map(([reason, count]) => `${count} ${REASONS[reason as Unanswered]}`)
    .join(', ');
}

const REASONS: Readonly<Record<Unanswered, string>> = {
  refused: 'refused',
  cut: 'cut off',
  outside: 'outside the list',
  prose: 'in prose',
  empty: 'empty',
};

function tooManyUnanswered(
  unanswered: AskResult['unanswered'],
  { asked, none, answer, choice }: { asked: number; none: number; answer: string; choice: ChatChoice },
): LimbeckError {
  return new LimbeckError(
    'teacher.unanswered',
    `the teacher answers too little: of ${asked} samples ${none} have no answer (${unansweredText(unanswered)})`,
    {
      where: `${choice.baseURL}, model ${choice.model}; the last such answer begins: ${JSON.stringify(answer.slice(0, 80))}`,
      remedy:
        'Say more clearly what is wanted (teacher.task, teacher.system), give it room (teacher.maxTokens), or take another model. To go on all the same: teacher.maxUnanswered.',
    },
  );
}
