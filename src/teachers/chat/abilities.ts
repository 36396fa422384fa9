import type { Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';
import { LimbeckError } from '../../errors.ts';
import type { Head } from '../../targets/head.ts';
import { logprobProblem } from './class-scores.ts';
import type { ChatEndpoint } from './endpoint.ts';
import type { ChatChoice } from './options.ts';
import { EMBEDDING, questionFor } from './questions/index.ts';
import type { AnswerMode, Question } from './questions/question.ts';
import { roughTokens } from './read-reply.ts';
import type { Reply, TokenUsage } from './reply.ts';

/** What is sent to find out what an endpoint can: nothing of anybody's data. */
export const PROBE_TEXT = 'This short text only tests the connection.';

/** What an endpoint can do for one output, as far as that was tried. */
export interface Abilities {
  /** As the endpoint names it. */
  readonly model: string;
  /** Whether it tells log-probabilities that can be read. */
  readonly logprobs: boolean;
  /** Whether it keeps to JSON schemas. */
  readonly structured: boolean;
  /** What it cannot do, and why, for people. */
  readonly notes: readonly string[];
}

export interface ProbeContext {
  readonly head: Head;
  readonly choice: ChatChoice;
  readonly tokenizer?: Tokenizer | undefined;
  /** Of vectors. */
  readonly width?: number | undefined;
}

/** Requests of a probe at most, and what they cost about. */
export function probeCost(context: ProbeContext): { readonly requests: number; readonly usage: TokenUsage } {
  if (context.head.target.kind === EMBEDDING)
    return { requests: 1, usage: { input: roughTokens(PROBE_TEXT), output: 0 } };
  const question = probedQuestion(context, 'hard', true);
  const input = question.ask(PROBE_TEXT).messages.reduce((sum, { content }) => sum + roughTokens(content), 0);
  return { requests: 2, usage: { input: 2 * input, output: 2 * question.answerTokens } };
}

/**
 * Finds out, by one or two requests about a text of ours, what the endpoint can do for an output.
 *
 * @param keep keeps a reply, which is paid
 * @throws LimbeckError `teacher.logprobs` where the recipe wants log-probabilities that are not there; those of the endpoint
 */
export async function probeAbilities(
  endpoint: ChatEndpoint,
  context: ProbeContext,
  id: string,
  keep: (reply: Reply) => void,
): Promise<Abilities> {
  const { head, width } = context;
  if (head.target.kind === EMBEDDING) {
    const reply = await endpoint.embed([PROBE_TEXT], width as number, `${id}-probe`);
    keep(reply);
    return { model: reply.model, logprobs: false, structured: false, notes: [] };
  }
  const probe = head.target.kind === 'class' ? probeClass : probeStructured;
  return probe({ endpoint, context, id, keep });
}

interface Probe {
  readonly endpoint: ChatEndpoint;
  readonly context: ProbeContext;
  readonly id: string;
  readonly keep: (reply: Reply) => void;
}

async function probeClass({ endpoint, context, id, keep }: Probe): Promise<Abilities> {
  const { choice } = context;
  const wantsChances = choice.answers === 'auto' || choice.answers === 'logprobs';
  let problem: string | undefined;
  if (wantsChances) {
    try {
      const question = probedQuestion(context, 'logprobs', false).ask(PROBE_TEXT);
      const reply = await endpoint.ask(question, `${id}-probe-logprobs`);
      keep(reply);
      problem = chancesProblem(reply);
      if (problem === undefined) return { model: reply.model, logprobs: true, structured: false, notes: [] };
      if (choice.answers === 'auto')
        return { model: reply.model, logprobs: false, structured: false, notes: [noChances(problem)] };
    } catch (error) {
      // Some endpoints refuse the field.
      if (!isRefusal(error)) throw error;
      problem = error.message;
    }
    if (choice.answers === 'logprobs') throw withoutChances(problem, choice);
  }
  const reply = await endpoint.ask(probedQuestion(context, 'hard', false).ask(PROBE_TEXT), `${id}-probe`);
  keep(reply);
  const notes = problem === undefined ? [] : [noChances(problem)];
  return { model: reply.model, logprobs: false, structured: false, notes };
}

async function probeStructured({ endpoint, context, id, keep }: Probe): Promise<Abilities> {
  const { choice } = context;
  const notes: string[] = [];
  if (choice.structured !== 'prompt') {
    try {
      const question = probedQuestion(context, 'hard', true).ask(PROBE_TEXT);
      const reply = await endpoint.ask(question, `${id}-probe-schema`);
      keep(reply);
      return { model: reply.model, logprobs: false, structured: true, notes };
    } catch (error) {
      if (!isRefusal(error) || choice.structured === 'schema') throw error;
      notes.push(`it keeps to no JSON schema (${error.message}): the prompt alone asks for the form`);
    }
  }
  const reply = await endpoint.ask(probedQuestion(context, 'hard', false).ask(PROBE_TEXT), `${id}-probe`);
  keep(reply);
  return { model: reply.model, logprobs: false, structured: false, notes };
}

function isRefusal(error: unknown): error is LimbeckError {
  return error instanceof LimbeckError && error.code === 'teacher.request';
}

function withoutChances(problem: string, { baseURL, model }: ChatChoice): LimbeckError {
  return new LimbeckError(
    'teacher.logprobs',
    `the endpoint gives no log-probabilities that could teach: ${problem}`,
    {
      where: `${baseURL}, model ${model}`,
      remedy: 'Ask without them: teacher.answers: votes (several answers, counted) or hard.',
    },
  );
}

/** How answers will be asked for, once it is known what the endpoint can. */
export function modeOf(
  head: Head,
  choice: ChatChoice,
  { logprobs }: Pick<Abilities, 'logprobs'>,
): AnswerMode {
  if (head.target.kind === 'class' && choice.answers === 'auto') return logprobs ? 'logprobs' : 'votes';
  if (head.target.kind === 'class') return choice.answers as AnswerMode;
  return choice.answers === 'votes' ? 'votes' : 'hard';
}

function probedQuestion(
  { head, choice, tokenizer }: ProbeContext,
  mode: AnswerMode,
  structured: boolean,
): Question {
  return questionFor({ head, choice, mode, structured, tokenizer });
}

function chancesProblem({ choices: [answer] }: Reply): string | undefined {
  const tokens = answer?.tokens;
  if (!tokens) return 'it sends none';
  const problem = logprobProblem(answer.text, tokens);
  if (problem !== undefined) return problem;
  return (tokens[0]?.top.length ?? 0) < 2 ? 'it tells that of the chosen token alone' : undefined;
}

function noChances(problem: string): string {
  return `it gives no log-probabilities that could teach (${problem})`;
}
