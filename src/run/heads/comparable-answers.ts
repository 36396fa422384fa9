import type { Head } from '../../targets/head.ts';

/**
 * Whether int8 and float32 answers of a teacher can be compared before one of them labels: those that are kept whole are, and
 * what a language model says of tokens. Other teachers of which a part is kept label in float32.
 */
export function comparesAnswers(heads: readonly Pick<Head, 'kept' | 'features'>[]): boolean {
  return saysTokens(heads) || heads.every(({ kept }) => !kept);
}

/** Whether a teacher is a language model, whose answers are compared token by token. */
export function saysTokens(heads: readonly Pick<Head, 'features'>[]): boolean {
  return heads.length === 1 && heads[0]?.features === 'causal';
}
