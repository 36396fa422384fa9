import { randomStream } from '../../random.ts';
import { type Batch, columnOf } from '../batch.ts';
import { ATTENTION_MASK, INPUT_IDS } from '../columns.ts';

export interface TokenDropout {
  /** The share of tokens that are replaced, in [0, 1). */
  fraction: number;
  /** What replaces them: the tokenizer's unknown token. */
  unkId: number;
  seed: number;
}

/**
 * Replaces a share of a batch's tokens by the unknown token, so that a student does not lean on single words (Iyyer
 * et al. 2015, "Deep unordered composition rivals syntactic methods", word dropout). Padding and empty rows stay.
 *
 * The choice is a function of seed, epoch and batch alone. Returns a new batch; with fraction 0 the batch itself.
 */
export function dropTokens(batch: Batch, dropout: TokenDropout, epoch: number, index: number): Batch {
  const { fraction, unkId, seed } = dropout;
  if (!(fraction >= 0 && fraction < 1)) throw new Error(`token dropout of ${fraction}`);
  if (fraction === 0) return batch;
  const random = randomStream(seed, 'token-dropout', epoch, index);
  const unk = BigInt(unkId);
  const given = columnOf(batch, INPUT_IDS);
  const mask = columnOf(batch, ATTENTION_MASK).data as BigInt64Array;
  const ids = (given.data as BigInt64Array).slice();
  const length = given.dims[1] as number;
  for (let i = 0; i < batch.filled * length; i++) {
    if (mask[i] === 1n && random.uniform() < fraction) ids[i] = unk;
  }
  return { ...batch, columns: { ...batch.columns, [INPUT_IDS]: { ...given, data: ids } } };
}
