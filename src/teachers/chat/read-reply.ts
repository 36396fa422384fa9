import { LimbeckError } from '../../errors.ts';
import { base64Of } from '../../platform/bytes.ts';
import type { ChatMessage } from './prompt.ts';
import type { AnsweredToken, Reply, ReplyChoice, TokenUsage } from './reply.ts';

/** The tokens of an answer that are kept with their alternatives: a class is told by its first ones. */
const KEPT_TOKENS = 8;

/** An error that came with the status of an answer. */
export class FailedReplyError extends Error {
  /** The status that it names. */
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

interface RawChoice {
  readonly message?: { readonly content?: unknown; readonly refusal?: unknown } | null;
  readonly finish_reason?: unknown;
  readonly logprobs?: { readonly content?: unknown } | null;
}

/**
 * A reply of a chat API.
 *
 * @throws LimbeckError `teacher.reply` for what is none; FailedReplyError for an error that was sent as a reply
 */
export function readReply(
  raw: unknown,
  address: URL,
  seconds: number,
  messages: readonly ChatMessage[],
): Reply {
  const { choices, model, usage } = (isObject(raw) ? raw : {}) as Record<string, unknown>;
  requireNoError(raw);
  if (Array.isArray(choices)) choices.forEach(requireNoError);
  if (!Array.isArray(choices)) throw strange(address, 'it has no choices', raw);
  // Filters of some endpoints leave none: that is an answer that says nothing, and is paid as one.
  const read = (choices.length > 0 ? choices : [{}]).map((one): ReplyChoice => {
    const { message, finish_reason: finish, logprobs } = (isObject(one) ? one : {}) as RawChoice;
    const content = message?.content;
    const tokens = tokensOf(logprobs?.content);
    return {
      text: textOf(content),
      finish: typeof finish === 'string' ? finish : 'stop',
      refused:
        (typeof message?.refusal === 'string' && message.refusal !== '') || finish === 'content_filter',
      ...(tokens && { tokens }),
    };
  });
  const sent = messages.map(({ content }) => content).join('');
  const back = read.map(({ text }) => text ?? '').join('');
  return {
    model: typeof model === 'string' ? model : '',
    choices: read,
    usage: usageOf(usage, sent, back),
    seconds,
  };
}

/** Vectors of texts, in their order, of a reply of an API for them. @throws as `readReply`; LimbeckError `teacher.outputs` for another width */
export function readVectors(
  raw: unknown,
  {
    address,
    texts,
    width,
    seconds,
  }: { address: URL; texts: readonly string[]; width: number; seconds: number },
): Reply {
  const { data, model, usage } = (isObject(raw) ? raw : {}) as Record<string, unknown>;
  requireNoError(raw);
  if (!Array.isArray(data) || data.length !== texts.length)
    throw strange(
      address,
      `it has ${Array.isArray(data) ? data.length : 'no'} vectors for ${texts.length} texts`,
      raw,
    );
  const vectors = new Array<string>(texts.length);
  for (const [place, one] of data.entries()) {
    const { embedding, index = place } = (isObject(one) ? one : {}) as {
      embedding?: unknown;
      index?: unknown;
    };
    if (
      !Array.isArray(embedding) ||
      embedding.some((value) => typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
    )
      throw strange(address, 'a vector in it is no list of numbers (of float32)', raw);
    if (embedding.length !== width) {
      throw new LimbeckError(
        'teacher.outputs',
        `the teacher's vectors have ${embedding.length} numbers, not ${width}`,
        {
          where: `${address.host}; the output's width`,
          remedy: `Set its width to ${embedding.length}, or teacher.parameters: { dimensions: ${width} } where the endpoint can shorten them.`,
        },
      );
    }
    if (typeof index !== 'number' || !(index in texts) || vectors[index] !== undefined)
      throw strange(address, 'its vectors have no places', raw);
    vectors[index] = base64Of(new Uint8Array(Float32Array.from(embedding as number[]).buffer));
  }
  return {
    model: typeof model === 'string' ? model : '',
    choices: [],
    vectors,
    usage: usageOf(usage, texts.join(''), ''),
    seconds,
  };
}

/** Some endpoints answer with a list of parts, of which those that are thoughts are no answer. */
function textOf(content: unknown): string | null {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  const texts = content.flatMap((part: unknown) => {
    const { type, text } = (isObject(part) ? part : {}) as {
      readonly type?: unknown;
      readonly text?: unknown;
    };
    return type === 'text' && typeof text === 'string' ? [text] : [];
  });
  return texts.length > 0 ? texts.join('') : null;
}

/** Gateways send the error of whom they ask as a reply of their own, with the status in it. */
function requireNoError(raw: unknown): void {
  const { error } = (isObject(raw) ? raw : {}) as { readonly error?: unknown };
  if (error === undefined || error === null) return;
  const { message, code } = (isObject(error) ? error : {}) as {
    readonly message?: unknown;
    readonly code?: unknown;
  };
  const said = typeof message === 'string' ? message : (JSON.stringify(error) ?? String(error));
  throw new FailedReplyError(said, typeof code === 'number' && code >= 400 && code < 600 ? code : undefined);
}

function tokensOf(content: unknown): AnsweredToken[] | undefined {
  if (!Array.isArray(content) || content.length === 0) return undefined;
  const chance = (one: unknown) => {
    const { token, logprob } = (isObject(one) ? one : {}) as { token?: unknown; logprob?: unknown };
    const isOne = typeof token === 'string' && typeof logprob === 'number';
    return { token: String(token ?? ''), logprob: isOne ? logprob : Number.NaN };
  };
  return content.slice(0, KEPT_TOKENS).map((one) => {
    const top = (one as { top_logprobs?: unknown } | null)?.top_logprobs;
    return { ...chance(one), top: Array.isArray(top) ? top.map(chance) : [] };
  });
}

/** About a token for four bytes, as OpenAI tells for English. */
export function roughTokens(text: string): number {
  return Math.ceil(new TextEncoder().encode(text).length / 4);
}

function usageOf(usage: unknown, sent: string, back: string): TokenUsage {
  const { prompt_tokens: input, completion_tokens: output } = (isObject(usage) ? usage : {}) as Record<
    string,
    unknown
  >;
  // What was sent, and what came back, has tokens.
  const isCount = (value: unknown, text: string): value is number =>
    Number.isSafeInteger(value) && (value as number) >= (text === '' ? 0 : 1);
  const isInput = isCount(input, sent);
  const isOutput = isCount(output, back);
  // A reply of vectors has no output to count.
  if (isInput && (isOutput || back === '')) return { input, output: isOutput ? output : 0 };
  return {
    input: isInput ? input : roughTokens(sent),
    output: isOutput ? output : roughTokens(back),
    estimated: true,
  };
}

function strange(address: URL, problem: string, raw: unknown): LimbeckError {
  const shown = typeof raw === 'string' ? raw : JSON.stringify(raw);
  return new LimbeckError('teacher.reply', `the endpoint's reply is none of a chat API: ${problem}`, {
    where: `${address.host}: ${(shown ?? 'nothing').slice(0, 200)}`,
    remedy: 'Check teacher.baseURL; it mostly ends with /v1.',
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
