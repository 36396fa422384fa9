import { z } from 'zod';
import { type KeptForm, likeliestTokens, sampledTokens } from './kept-form.ts';

export const MOST_ENTRIES = 4096;

export const likeliestOption = z
  .strictObject({
    likeliest: z
      .int()
      .min(1)
      .max(MOST_ENTRIES)
      .describe('So many tokens with their probabilities, and what is left for all others together.'),
  })
  .describe('The likeliest tokens: small, but the student learns nothing of the others.');

export const sampledOption = z
  .strictObject({
    sampled: z
      .int()
      .min(1)
      .max(MOST_ENTRIES)
      .describe('So many draws from what the teacher says comes next.'),
    power: z
      .number()
      .positive()
      .max(4)
      .default(1)
      .describe(
        'Drawn by the probabilities to this power; below 1 rare tokens are drawn more often, and count less.',
      ),
  })
  .describe(
    'Tokens drawn at random with weights: the loss has the mean that it has with all (arXiv 2503.16870).',
  );

/** Tokens that are kept of an answer over a vocabulary, which bounds how many there can be. */
export function keptTokens(
  keep: z.output<typeof likeliestOption> | z.output<typeof sampledOption>,
  vocabulary: number,
): KeptForm {
  return 'likeliest' in keep
    ? likeliestTokens(Math.min(keep.likeliest, vocabulary))
    : sampledTokens(Math.min(keep.sampled, vocabulary), keep.power);
}
