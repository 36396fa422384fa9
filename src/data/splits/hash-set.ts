/**
 * A set of hashes (integers of up to 53 bits) at eight bytes each: sorted, and searched by halving. A `Set` of strings
 * takes some ten times that.
 */
export class HashSet {
  #sorted = new Float64Array(0);

  /** How many were added, equal ones counted each. */
  get size(): number {
    return this.#sorted.length;
  }

  /** Adds all that `hashes` gives; it is asked twice, to count and to take them. */
  add(hashes: () => Iterable<number>): void {
    let count = 0;
    for (const _ of hashes()) count++;
    const all = new Float64Array(this.#sorted.length + count);
    all.set(this.#sorted);
    let at = this.#sorted.length;
    for (const hash of hashes()) all[at++] = hash;
    this.#sorted = all.sort();
  }

  has(hash: number): boolean {
    let from = 0;
    let to = this.#sorted.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#sorted[middle] as number) < hash) from = middle + 1;
      else to = middle;
    }
    return this.#sorted[from] === hash;
  }
}
