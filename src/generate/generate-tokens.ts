import { LimbeckError } from '../errors.ts';
import { type RandomStream, randomStream } from '../random.ts';
import { drawToken, largestLogit, penalizeRepetition } from './choose-token.ts';
import type { Decoder } from './decoder.ts';
import { checkSettings, type FinishReason, type GenerationOptions, newTokens } from './generation-options.ts';

/** A token that was made. */
export interface GeneratedToken {
  /** The text that it belongs to, by the place of its prompt. */
  readonly row: number;
  readonly id: number;
  /** Present where the text ends with it. */
  readonly finish?: FinishReason;
}

/** A text that is not done yet. */
interface OpenText {
  readonly row: number;
  /** The prompt, and what was made of it. */
  readonly tokens: number[];
  readonly promptLength: number;
  readonly seen: Set<number>;
  readonly random: RandomStream;
  /** Where the part begins that the model reads. */
  start: number;
}

/**
 * Makes texts of prompts, token by token, all of a batch in one run of the model each time; a text that is done leaves the batch.
 * The same prompts, options and seed give the same tokens.
 *
 * @param prompts token ids, each with at least one
 * @throws LimbeckError `generate.options`, `generate.prompt`, `generate.too-long` before the first token; `generate.not-finite` where
 *   the model's answer is no number, with the text and its place; what running the model throws
 *
 * @example
 * for await (const { id } of generateTokens(sessionDecoder(session), [[464, 3139]], { maxNewTokens: 20 })) console.log(id);
 */
export async function* generateTokens(
  decoder: Decoder,
  prompts: readonly (readonly number[])[],
  options: GenerationOptions = {},
): AsyncGenerator<GeneratedToken, void, undefined> {
  checkSettings(options);
  const limit = newTokens(decoder, prompts, options);
  const { maxLength = Number.POSITIVE_INFINITY } = decoder;
  const { endIds = [], isStopped, signal, seed = 0, seeds } = options;
  let open = prompts.map((prompt, row): OpenText => {
    const start = Math.max(0, prompt.length - maxLength);
    const own = seeds?.[row];
    const random = own === undefined ? randomStream(seed, 'generate', row) : randomStream(own, 'generate');
    return { row, tokens: [...prompt], promptLength: prompt.length, seen: new Set(prompt), random, start };
  });
  let reading = decoder.begin();
  let next: (readonly number[])[] = open.map(({ tokens, start }) => tokens.slice(start));
  while (open.length > 0) {
    signal?.throwIfAborted();
    const logits = await reading.read(next);
    const kept: number[] = [];
    for (const [i, text] of open.entries()) {
      const id = chooseToken(logits.row(i), text, prompts.length, options);
      text.tokens.push(id);
      text.seen.add(id);
      const finish = finishOf(text, id);
      if (!finish) kept.push(i);
      yield { row: text.row, id, ...(finish && { finish }) };
    }
    if (kept.length < open.length) {
      if (kept.length > 0) reading.keep(kept);
      open = kept.map((i) => open[i] as OpenText);
    }
    next = open.map(({ tokens }) => tokens.slice(-1));
    if (open.some(isFull)) {
      for (const text of open) if (isFull(text)) text.start = text.tokens.length - Math.ceil(maxLength / 2);
      reading = decoder.begin();
      next = open.map(({ tokens, start }) => tokens.slice(start));
    }
  }

  function finishOf({ tokens, promptLength }: OpenText, id: number): FinishReason | undefined {
    if (endIds.includes(id)) return 'end';
    if (isStopped?.(tokens.slice(promptLength))) return 'stop';
    return tokens.length - promptLength >= limit ? 'length' : undefined;
  }

  function isFull({ tokens, start }: OpenText): boolean {
    return tokens.length - start > maxLength;
  }
}

function chooseToken(
  logits: Float32Array,
  text: OpenText,
  texts: number,
  options: GenerationOptions,
): number {
  const { topK, topP, repetitionPenalty = 1 } = options;
  const { temperature = topK === undefined && topP === undefined ? 0 : 1 } = options;
  penalizeRepetition(logits, text.seen, repetitionPenalty);
  const { id, usable } = largestLogit(logits);
  if (!usable) throw notFinite(logits, id, text, texts, options.titleOf?.(text.row));
  return temperature === 0 ? id : drawToken(logits, id, { temperature, topK, topP }, text.random);
}

/** Why no token can be chosen. */
export function notFinite(
  logits: Float32Array,
  id: number,
  { row, tokens, promptLength }: Pick<OpenText, 'row' | 'tokens' | 'promptLength'>,
  texts: number,
  title = `text ${row + 1} of ${texts}`,
): LimbeckError {
  const place = `${title}, behind token ${tokens.length} (${tokens.length - promptLength} made)`;
  return new LimbeckError('generate.not-finite', `the model's logit of token ${id} is ${logits[id]}`, {
    where: place,
    remedy:
      'Check the weights: a training that diverged leaves NaN. A float16 model may overflow where a float32 one does not.',
  });
}
