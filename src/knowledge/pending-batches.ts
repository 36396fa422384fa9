import { type Batch, SAMPLE_KEY_BYTES } from '../data/batch.ts';
import { clearRow, copyRow, emptyLike } from '../data/batches/batch-rows.ts';

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

  /** Adds one row; returns the batch that it made full. */
  add(from: Batch, row: number): Batch | undefined {
    const shape = shapeOf(from);
    let gathering = this.#byShape.get(shape);
    if (!gathering) {
      gathering = new Gathering(from, this.#rows);
      this.#byShape.set(shape, gathering);
    }
    gathering.add(from, row);
    if (!gathering.isFull) return undefined;
    // Its memory is the caller's now: several may be worked on at once.
    this.#byShape.delete(shape);
    return gathering.batch();
  }

  /** What is left: batches that are not full, filled up with empty rows. */
  *rest(): Generator<Batch> {
    for (const gathering of this.#byShape.values()) {
      gathering.clearRest();
      yield gathering.batch();
    }
  }
}

function shapeOf({ columns }: Batch): string {
  return Object.entries(columns)
    .map(([name, { dims }]) => `${name}=${dims.slice(1).join('x')}`)
    .join(',');
}

/** A batch that is being filled. */
class Gathering {
  readonly #batch: Batch;
  #filled = 0;

  constructor(like: Batch, rows: number) {
    this.#batch = emptyLike(like, rows, rows);
  }

  get isFull(): boolean {
    return this.#filled === this.#batch.rows;
  }

  add(from: Batch, row: number): void {
    copyRow(from, row, this.#batch, this.#filled++);
  }

  clearRest(): void {
    for (let row = this.#filled; row < this.#batch.rows; row++) clearRow(this.#batch, row);
  }

  batch(): Batch {
    const keys = this.#batch.keys.subarray(0, this.#filled * SAMPLE_KEY_BYTES);
    return { ...this.#batch, filled: this.#filled, keys };
  }
}
