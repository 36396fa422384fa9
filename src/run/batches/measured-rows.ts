import type { Split } from '../../data/split.ts';
import { classesOf, type Head } from '../../targets/head.ts';

/** Samples in a batch of an evaluation, where nothing speaks against it. */
const ROWS = 256;
/** Bytes of answers to a batch: they are copied out of the engine. */
const MOST_BYTES = 1 << 26;

/** How many samples a model is asked about at once where its answers are measured: fewer where an answer is a vocabulary for each token. */
export function measuredRows(heads: readonly Head[], split: Pick<Split, 'buckets'>, most = ROWS): number {
  const bytes = causalBytes(heads, split);
  return bytes === 0 ? most : Math.max(1, Math.min(most, Math.floor(MOST_BYTES / bytes)));
}

/** Bytes of the answers to the longest sample of a split, as far as they are a vocabulary for each token; 0 for other answers. */
export function causalBytes(heads: readonly Head[], { buckets }: Pick<Split, 'buckets'>): number {
  const longest = Math.max(1, ...buckets.map(({ length }) => length ?? 1));
  return heads
    .filter(({ features }) => features === 'causal')
    .reduce((sum, head) => sum + 4 * longest * widthOf(head), 0);
}

function widthOf(head: Head): number {
  const { vocabulary } = head.space as { readonly vocabulary?: number };
  return vocabulary ?? Math.max(1, classesOf(head).length);
}
