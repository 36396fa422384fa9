import type { RandomStream } from '../../random.ts';

/**
 * A uniform sample of at most `capacity` elements of a stream whose length nobody knows: after n elements each of them
 * is kept with probability capacity / n.
 *
 * Vitter, "Random Sampling with a Reservoir" (1985), algorithm R.
 */
export class Reservoir<T> {
  readonly #capacity: number;
  readonly #random: RandomStream;
  readonly #kept: T[] = [];
  #seen = 0;

  constructor(capacity: number, random: RandomStream) {
    this.#capacity = capacity;
    this.#random = random;
  }

  /** In places that new elements take over. */
  get kept(): readonly T[] {
    return this.#kept;
  }

  offer(element: T): void {
    this.#seen++;
    if (this.#kept.length < this.#capacity) {
      this.#kept.push(element);
      return;
    }
    const place = this.#random.integer(this.#seen);
    if (place < this.#capacity) this.#kept[place] = element;
  }
}
