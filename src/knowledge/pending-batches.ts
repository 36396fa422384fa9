import { SAMPLE_KEY_BYTES, type TokenBatch } from '../data/batch.ts';
import { keyAt } from './label-space.ts';

/**
 * Gathers rows from batches into full batches of one length each, so that a teacher that misses a few samples of
 * every batch still runs on full ones.
 */
export class PendingBatches {
  readonly #rows: number;
  readonly #byLength = new Map<number, Gathering>();

  constructor(rows: number) {
    this.#rows = rows;
  }

  /** Adds one row; returns the batch that it made full. It is to be used before the next row is added. */
  add(from: TokenBatch, row: number): TokenBatch | undefined {
    let batch = this.#byLength.get(from.length);
    if (!batch) {
      batch = emptyBatch(this.#rows, from.length);
      this.#byLength.set(from.length, batch);
    }
    // A batch that was full and has been used begins anew.
    if (batch.filled === batch.rows) batch.filled = 0;
    const position = batch.filled++;
    const { length } = from;
    batch.ids.set(from.ids.subarray(row * length, (row + 1) * length), position * length);
    batch.mask.set(from.mask.subarray(row * length, (row + 1) * length), position * length);
    batch.labels[position] = from.labels[row] as number;
    batch.allKeys.set(keyAt(from.keys, row), position * SAMPLE_KEY_BYTES);
    batch.ordinals[position] = from.ordinals[row] as number;
    return batch.filled === batch.rows ? asTokenBatch(batch) : undefined;
  }

  /** What is left: batches that are not full, filled up with empty rows. */
  *rest(): Generator<TokenBatch> {
    for (const batch of this.#byLength.values()) {
      if (batch.filled === 0 || batch.filled === batch.rows) continue;
      for (let row = batch.filled; row < batch.rows; row++) {
        batch.ids.fill(0n, row * batch.length, (row + 1) * batch.length);
        batch.mask.fill(0n, row * batch.length, (row + 1) * batch.length);
        batch.mask[row * batch.length] = 1n;
        batch.labels[row] = -1;
      }
      yield asTokenBatch(batch);
    }
  }
}

interface Gathering extends Omit<TokenBatch, 'filled' | 'keys'> {
  filled: number;
  allKeys: Uint8Array;
}

function emptyBatch(rows: number, length: number): Gathering {
  return {
    rows,
    length,
    filled: 0,
    ids: new BigInt64Array(rows * length),
    mask: new BigInt64Array(rows * length),
    labels: new Int32Array(rows),
    allKeys: new Uint8Array(rows * SAMPLE_KEY_BYTES),
    ordinals: new Uint32Array(rows),
  };
}

function asTokenBatch({ allKeys, ...batch }: Gathering): TokenBatch {
  return { ...batch, keys: allKeys.subarray(0, batch.filled * SAMPLE_KEY_BYTES) };
}
