import { type Batch, columnOf, type TokenSpans } from '../../../batch.ts';
import { ANSWER_MASK, ATTENTION_MASK, SEQUENCE } from '../../../columns.ts';

/**
 * The spans of a batch's samples; undefined where samples are no sequences. As a teacher with other tokens reads them, those of the
 * student's tokens, which its answers are about.
 */
export function tokenSpans(
  batch: Pick<Batch, 'columns' | 'sizes' | 'filled' | 'answered'>,
): TokenSpans | undefined {
  if (batch.answered) return batch.answered;
  const name = batch.columns[ANSWER_MASK] ? ANSWER_MASK : ATTENTION_MASK;
  if (batch.sizes[SEQUENCE] === undefined || !batch.columns[name]) return undefined;
  const { filled } = batch;
  const { data, dims } = columnOf(batch, name);
  const padded = dims[1] as number;
  const mask = data as BigInt64Array;
  const [starts, lengths] = [new Uint32Array(filled), new Uint32Array(filled)];
  for (let row = 0; row < filled; row++) {
    const own = mask.subarray(row * padded, (row + 1) * padded);
    const first = Math.max(0, own.indexOf(1n));
    starts[row] = first;
    lengths[row] = Math.max(first, own.lastIndexOf(1n)) + 1 - first;
  }
  return { padded, starts, lengths };
}
