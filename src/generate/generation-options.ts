import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { ChoiceOptions } from './choose-token.ts';
import type { Decoder } from './decoder.ts';

/** How many tokens are made where nothing is said. */
export const NEW_TOKENS = 256;

/** How texts go on from prompts of token ids. */
export interface GenerationOptions extends ChoiceOptions {
  /** Tokens at most: 256, or as many as the model has positions left for. */
  readonly maxNewTokens?: number | undefined;
  /** The tokens that end a text. */
  readonly endIds?: readonly number[] | undefined;
  /** Of all draws (0). Each text of a batch draws for itself, so that what it becomes does not depend on the others. */
  readonly seed?: number | undefined;
  /** A seed for each text, in place of one for all: what a text becomes then does not depend on its place in the batch. */
  readonly seeds?: readonly number[] | undefined;
  /** What errors call a text, by its place in the batch. */
  readonly titleOf?: ((row: number) => string) | undefined;
  /**
   * What becomes of a text that is longer than the model has positions for: it is refused before the first token (`refuse`, the
   * default), or the model reads its last part alone and goes on (`window`): of a prompt as much as fits, later the last half
   * each time that the positions are used up.
   */
  readonly whenFull?: 'refuse' | 'window' | undefined;
  /** Whether a text is to end behind the last of these tokens, which were made. */
  readonly isStopped?: ((made: readonly number[]) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Why a text ended: by a token that ends texts, by `isStopped`, or because it has as many tokens as it may. */
export type FinishReason = 'end' | 'stop' | 'length';

const settings = z.object({
  maxNewTokens: z.int().min(1).max(1_000_000).optional(),
  temperature: z.number().min(0).max(100).optional(),
  topK: z.int().min(1).optional(),
  topP: z.number().gt(0).max(1).optional(),
  repetitionPenalty: z.number().gt(0).max(100).optional(),
  seed: z.int().min(0).max(0xffff_ffff).optional(),
  whenFull: z.enum(['refuse', 'window']).optional(),
  beams: z.int().min(1).max(1000).optional(),
  lengthPenalty: z.number().min(-100).max(100).optional(),
});

/** @throws LimbeckError `generate.options` for a value that means nothing, with its name */
export function checkSettings(options: object): void {
  const found = settings.safeParse(options);
  const issue = found.error?.issues[0];
  if (!issue) return;
  const name = issue.path.join('.');
  const value = (options as Readonly<Record<string, unknown>>)[name];
  throw new LimbeckError('generate.options', `${name} cannot be ${String(value)}: ${issue.message}`, {
    where: name,
    remedy:
      'Expected are: maxNewTokens and topK from 1, temperature from 0, topP above 0 and at most 1, repetitionPenalty above 0, a seed from 0, beams from 1.',
  });
}

/**
 * How many tokens are made of each prompt, at most.
 *
 * @throws LimbeckError `generate.prompt` for a prompt without tokens; `generate.too-long` where the model has too few positions
 */
export function newTokens(
  { maxLength }: Decoder,
  prompts: readonly (readonly number[])[],
  { maxNewTokens, whenFull = 'refuse' }: GenerationOptions,
): number {
  const empty = prompts.findIndex((prompt) => prompt.length === 0);
  if (empty >= 0) {
    throw new LimbeckError('generate.prompt', 'a prompt has no tokens', {
      where: `prompt ${empty + 1} of ${prompts.length}`,
      remedy: 'Begin with some text, or with the token that begins texts.',
    });
  }
  if (whenFull === 'window' || maxLength === undefined) return maxNewTokens ?? NEW_TOKENS;
  const longest = Math.max(...prompts.map((prompt) => prompt.length));
  // What the last token is followed by is told without a position for that.
  const room = maxLength - longest + 1;
  if (room >= (maxNewTokens ?? 1)) return maxNewTokens ?? Math.min(NEW_TOKENS, room);
  throw new LimbeckError(
    'generate.too-long',
    room < 1
      ? `a prompt has ${longest} tokens, and the model has positions for ${maxLength}`
      : `${maxNewTokens} tokens behind a prompt of ${longest} are more than the model has positions for (${maxLength})`,
    {
      remedy:
        room < 1
          ? "Give a shorter prompt, or whenFull: 'window' (--window) to have its last part read alone."
          : `Ask for at most ${room}, or give whenFull: 'window' (--window) to have the last part of the text read alone.`,
    },
  );
}
