import type { Bucketed } from './batch-order.ts';

/** How fast samples come in: the part of them that training begins with, and after how many epochs all are in. */
export interface Pacing {
  readonly start: number;
  readonly epochs: number;
}

/**
 * The part of the samples that are in during an epoch: it rises evenly from `start` to 1.
 *
 * Bengio, Louradour, Collobert and Weston, "Curriculum Learning" (2009), section 3; the pacing function is that of
 * Hacohen and Weinshall, "On The Power of Curriculum Learning in Training Deep Networks" (2019), section 2.
 */
export function admittedPart({ start, epochs }: Pacing, epoch: number): number {
  return Math.min(1, start + ((1 - start) * epoch) / epochs);
}

/** A split's samples by difficulty, the easiest first: 4 bytes a sample. */
export class EasiestFirst {
  /** Positions counted through all buckets. */
  readonly #order: Uint32Array;
  readonly #starts: number[] = [0];

  /** @param difficulty by bucket and position in it; samples that it does not reach are harder than all others */
  constructor({ buckets }: Bucketed, difficulty: readonly Float32Array[]) {
    for (const { size } of buckets) this.#starts.push((this.#starts.at(-1) as number) + size);
    const all = new Float32Array(this.#starts.at(-1) as number).fill(Number.POSITIVE_INFINITY);
    buckets.forEach(({ size }, bucket) => {
      const own = difficulty[bucket] as Float32Array;
      all.set(own.subarray(0, Math.min(size, own.length)), this.#starts[bucket]);
    });
    // Equal ones stay in their order, so that every machine sorts alike.
    this.#order = Uint32Array.from(all.keys()).sort((a, b) => {
      const [first, second] = [all[a] as number, all[b] as number];
      return first < second ? -1 : first > second ? 1 : a - b;
    });
  }

  get size(): number {
    return this.#order.length;
  }

  /** The positions of the `count` easiest samples in each bucket. */
  first(count: number): Uint32Array[] {
    const taken = this.#order.slice(0, count).sort();
    return this.#starts.slice(0, -1).map((start, bucket) => {
      const end = this.#starts[bucket + 1] as number;
      const [from, to] = [lowerBound(taken, start), lowerBound(taken, end)];
      return taken.subarray(from, to).map((place) => place - start);
    });
  }
}

/** The first place in a rising list that is not below `value`. */
function lowerBound(list: Uint32Array, value: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
