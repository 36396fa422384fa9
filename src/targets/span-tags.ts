import type { TokenOffset } from './token-offsets.ts';

/** A part of a text in UTF-16 units. */
export interface CharacterSpan {
  readonly start: number;
  /** Behind it. */
  readonly end: number;
  readonly label: string;
}

/** Beside a token that has no tag of its own: a special token, a later piece of a word. */
export const NO_TAG = -1;
/** The tag of a token in no span. */
export const OUTSIDE = 0;

/**
 * The tag of each token (`O`, `B-KIND`, `I-KIND` by their numbers): the first span that a token lies in counts.
 *
 * @param kinds the number of each span's kind
 */
export function tagsOfSpans(
  spans: readonly CharacterSpan[],
  kinds: readonly number[],
  offsets: readonly TokenOffset[],
): number[] {
  const begun = new Set<CharacterSpan>();
  return offsets.map((offset) => {
    if (!offset) return NO_TAG;
    const at = spans.findIndex(({ start, end }) => offset[0] < end && offset[1] > start);
    if (at < 0) return OUTSIDE;
    const span = spans[at] as CharacterSpan;
    const tag = 1 + 2 * (kinds[at] as number) + (begun.has(span) ? 1 : 0);
    begun.add(span);
    return tag;
  });
}
