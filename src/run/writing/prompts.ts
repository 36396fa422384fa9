import type { Batch } from '../../data/batch.ts';
import { columnOf } from '../../data/batch.ts';
import { keyOf, rowOf } from '../../data/batches/batch-rows.ts';
import { ATTENTION_MASK } from '../../data/columns.ts';
import { NOT_ASKED } from '../../data/modalities/text/token-piece.ts';
import type { Split } from '../../data/split.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import { rowIds } from '../batches/taught-texts.ts';

/** A document with the part of it that texts begin with. */
export interface Beginning {
  /** All of its tokens. */
  readonly ids: readonly number[];
  /** Tokens that a text begins with; 0 where it has too few tokens for one. */
  readonly length: number;
  readonly key: Uint8Array;
}

/**
 * The beginnings of a batch's documents: `promptTokens` of each or, where nothing is asked about the first tokens (a conversation),
 * all before the first that is.
 *
 * @param labels the column with what comes next
 */
export function beginnings(batch: Batch, labels: string, promptTokens: number): Beginning[] {
  const next = columnOf(batch, labels);
  const mask = columnOf(batch, ATTENTION_MASK);
  let row = 0;
  const found: Beginning[] = [];
  for (const ids of rowIds(batch)) {
    const start = (rowOf(mask, batch.rows, row) as BigInt64Array).indexOf(1n);
    const asked = (rowOf(next, batch.rows, row) as Int32Array).subarray(start, start + ids.length);
    const first = asked.findIndex((id) => id !== NOT_ASKED);
    const wanted = first > 0 ? first + 1 : promptTokens;
    const length = first >= 0 && wanted < ids.length ? wanted : 0;
    found.push({ ids: [...ids], length, key: keyOf(batch, row).slice() });
    row++;
  }
  return found;
}

/** Documents read at once. */
const ROWS = 512;

/** Where the documents of a split are that are long enough to be begun, and how much of each is its beginning. */
export interface Beginnable {
  readonly buckets: Uint16Array;
  readonly indices: Uint32Array;
  readonly lengths: Uint16Array;
}

/** Looks at all documents of a split; few bytes are kept of each. */
export function beginnable(split: Split, labels: string, promptTokens: number): Beginnable {
  const buckets = new Uint16Array(split.size);
  const indices = new Uint32Array(split.size);
  const lengths = new Uint16Array(split.size);
  const starts: number[] = [];
  let before = 0;
  for (const { size } of split.buckets) {
    starts.push(before);
    before += size;
  }
  let count = 0;
  for (const batch of splitBatches(split, ROWS)) {
    for (const [row, { length }] of beginnings(batch, labels, promptTokens).entries()) {
      if (length === 0) continue;
      const ordinal = batch.ordinals[row] as number;
      const bucket = starts.findLastIndex((start) => start <= ordinal);
      buckets[count] = bucket;
      indices[count] = ordinal - (starts[bucket] as number);
      lengths[count++] = length;
    }
  }
  return {
    buckets: buckets.slice(0, count),
    indices: indices.slice(0, count),
    lengths: lengths.slice(0, count),
  };
}
