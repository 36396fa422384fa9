import { type Batch, type ImageBatch, SAMPLE_KEY_BYTES, type TokenBatch } from '../data/batch.ts';
import { keyAt } from './label-space.ts';

/**
 * Gathers rows from batches into full batches of one shape each, so that a teacher that misses a few samples of
 * every batch still runs on full ones.
 */
export class PendingBatches {
  readonly #rows: number;
  readonly #byShape = new Map<string, Gathering>();

  constructor(rows: number) {
    this.#rows = rows;
  }

  /** Adds one row; returns the batch that it made full. It is to be used before the next row is added. */
  add(from: Batch, row: number): Batch | undefined {
    const shape = shapeOf(from);
    let gathering = this.#byShape.get(shape);
    if (!gathering) {
      gathering = new Gathering(from, this.#rows);
      this.#byShape.set(shape, gathering);
    }
    gathering.add(from, row);
    return gathering.isFull ? gathering.batch() : undefined;
  }

  /** What is left: batches that are not full, filled up with empty rows. */
  *rest(): Generator<Batch> {
    for (const gathering of this.#byShape.values()) {
      if (gathering.isEmpty || gathering.isFull) continue;
      gathering.clearRest();
      yield gathering.batch();
    }
  }
}

function shapeOf(batch: Batch): string {
  return 'pixels' in batch ? batch.dims.join('x') : `${batch.length}`;
}

/** The arrays of a batch that hold what a model is fed, a row for each sample. */
function contents(batch: Batch): (BigInt64Array | Float32Array)[] {
  return 'pixels' in batch ? [batch.pixels] : [batch.ids, batch.mask];
}

/** A batch that is being filled. One that was full and has been used begins anew. */
class Gathering {
  readonly #batch: Batch;
  readonly #keys: Uint8Array;
  #filled = 0;

  constructor(like: Batch, rows: number) {
    const head = {
      rows,
      filled: 0,
      labels: new Int32Array(rows),
      keys: new Uint8Array(0),
      ordinals: new Uint32Array(rows),
    };
    this.#keys = new Uint8Array(rows * SAMPLE_KEY_BYTES);
    this.#batch =
      'pixels' in like
        ? ({
            ...head,
            dims: like.dims,
            pixels: new Float32Array((rows * like.pixels.length) / like.rows),
          } satisfies ImageBatch)
        : ({
            ...head,
            length: like.length,
            ids: new BigInt64Array(rows * like.length),
            mask: new BigInt64Array(rows * like.length),
          } satisfies TokenBatch);
  }

  get isFull(): boolean {
    return this.#filled === this.#batch.rows;
  }

  get isEmpty(): boolean {
    return this.#filled === 0;
  }

  add(from: Batch, row: number): void {
    if (this.isFull) this.#filled = 0;
    const position = this.#filled++;
    const sources = contents(from);
    contents(this.#batch).forEach((target, i) => {
      const source = sources[i] as typeof target;
      const width = source.length / from.rows;
      (target as Float32Array).set(
        (source as Float32Array).subarray(row * width, (row + 1) * width),
        position * width,
      );
    });
    this.#batch.labels[position] = from.labels[row] as number;
    this.#keys.set(keyAt(from.keys, row), position * SAMPLE_KEY_BYTES);
    this.#batch.ordinals[position] = from.ordinals[row] as number;
  }

  clearRest(): void {
    const batch = this.#batch;
    for (const content of contents(batch)) {
      const width = content.length / batch.rows;
      if (content instanceof BigInt64Array) content.fill(0n, this.#filled * width);
      else content.fill(0, this.#filled * width);
    }
    batch.labels.fill(-1, this.#filled);
    // A text has a token at least.
    if ('mask' in batch)
      for (let row = this.#filled; row < batch.rows; row++) batch.mask[row * batch.length] = 1n;
  }

  batch(): Batch {
    const keys = this.#keys.subarray(0, this.#filled * SAMPLE_KEY_BYTES);
    return { ...this.#batch, filled: this.#filled, keys };
  }
}
