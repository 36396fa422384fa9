import { type RandomStream, randomStream } from '../random.ts';

/** Numbers that a metric may keep: 64 MiB of them. */
const MOST_NUMBERS = 2 ** 23;

/**
 * Rows of numbers for metrics that need all of them at once (ranks, curves, neighbours). As many are kept as memory is
 * meant for; of more, a uniform sample (Vitter, "Random Sampling with a Reservoir", 1985, algorithm R), drawn alike each
 * time, so that two models are measured on the same rows.
 */
export class KeptRows {
  readonly width: number;
  readonly capacity: number;
  readonly #random: RandomStream = randomStream(0, 'kept rows of a metric');
  #numbers: Float64Array;
  #kept = 0;
  #seen = 0;

  constructor(width: number, capacity = Math.max(1, Math.floor(MOST_NUMBERS / width))) {
    this.width = width;
    this.capacity = capacity;
    this.#numbers = new Float64Array(Math.min(capacity, 256) * width);
  }

  /** Rows that are kept. */
  get length(): number {
    return this.#kept;
  }

  /** Rows that were offered. */
  get seen(): number {
    return this.#seen;
  }

  /** Offers the row that the parts make, one after another. Throws when their length is not `width`. */
  add(...parts: readonly ArrayLike<number>[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (length !== this.width) throw new Error(`a row of ${length} numbers among rows of ${this.width}`);
    this.#seen++;
    const place = this.#kept < this.capacity ? this.#kept++ : this.#random.integer(this.#seen);
    if (place >= this.capacity) return;
    if ((place + 1) * this.width > this.#numbers.length) this.#grow();
    let at = place * this.width;
    for (const part of parts) {
      this.#numbers.set(part, at);
      at += part.length;
    }
  }

  /** Row `index`, not copied. */
  row(index: number): Float64Array {
    return this.#numbers.subarray(index * this.width, (index + 1) * this.width);
  }

  /** One number of every row. */
  column(index: number): Float64Array {
    return Float64Array.from({ length: this.#kept }, (_, row) => this.#numbers[row * this.width + index]!);
  }

  #grow(): void {
    const larger = new Float64Array(Math.min(this.capacity * this.width, this.#numbers.length * 2));
    larger.set(this.#numbers);
    this.#numbers = larger;
  }
}
