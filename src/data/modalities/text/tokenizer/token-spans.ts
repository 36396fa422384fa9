import { type Batch, columnOf } from '../../../batch.ts';
import { ATTENTION_MASK, SEQUENCE } from '../../../columns.ts';

/** Where the tokens of each row of a batch lie, without the padding on either side. */
export interface TokenSpans {
  /** T: the length that all rows are padded to. */
  readonly padded: number;
  /** The place of the first token of each row. */
  readonly starts: Uint32Array;
  /** Tokens of each row, one at least. */
  readonly lengths: Uint32Array;
}

/** The spans of a batch's samples; undefined where samples are no sequences. */
export function tokenSpans(batch: Pick<Batch, 'columns' | 'sizes' | 'filled'>): TokenSpans | undefined {
  const padded = batch.sizes[SEQUENCE];
  if (padded === undefined || !batch.columns[ATTENTION_MASK]) return undefined;
  const { filled } = batch;
  const mask = columnOf(batch, ATTENTION_MASK).data as BigInt64Array;
  const [starts, lengths] = [new Uint32Array(filled), new Uint32Array(filled)];
  for (let row = 0; row < filled; row++) {
    const own = mask.subarray(row * padded, (row + 1) * padded);
    const first = Math.max(0, own.indexOf(1n));
    starts[row] = first;
    lengths[row] = Math.max(first, own.lastIndexOf(1n)) + 1 - first;
  }
  return { padded, starts, lengths };
}
