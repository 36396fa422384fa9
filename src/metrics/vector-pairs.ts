import { KeptRows } from './kept-rows.ts';
import type { Answers, MeasuredBatch } from './metric.ts';
import { type OutputOptions, outputRows } from './output-rows.ts';

/** Rows that a metric over neighbours compares with each other: their pairs grow with the square. */
const MOST_ROWS = 2048;

/** What metrics over vectors are made for: an output [rows, width] against vectors of a column [rows, otherWidth]. */
export interface VectorOptions extends OutputOptions {
  readonly width: number;
  /** The width of the column's vectors; `width` when absent. */
  readonly otherWidth?: number;
}

/** Vectors that a model answered, each with the one that belongs to it; scaled to length 1, so that products are cosines. */
export class VectorPairs {
  readonly width: number;
  readonly otherWidth: number;
  readonly #rows: KeptRows;

  constructor({ width, otherWidth = width }: VectorOptions, capacity = MOST_ROWS) {
    this.width = width;
    this.otherWidth = otherWidth;
    this.#rows = new KeptRows(width + otherWidth, capacity);
  }

  get length(): number {
    return this.#rows.length;
  }

  add(answers: Answers, batch: MeasuredBatch, options: OutputOptions): void {
    for (const { answer, truth } of outputRows(answers, batch, options))
      this.#rows.add(scaled(answer), scaled(truth));
  }

  answer(row: number): Float64Array {
    return this.#rows.row(row).subarray(0, this.width);
  }

  other(row: number): Float64Array {
    return this.#rows.row(row).subarray(this.width);
  }
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** At length 1; a vector of zeros stays one. */
function scaled(vector: ArrayLike<number>): Float64Array {
  const length = Math.sqrt(dot(vector, vector));
  return Float64Array.from(vector, (value) => (length > 0 ? value / length : 0));
}
