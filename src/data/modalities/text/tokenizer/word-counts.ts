/** Different words that are counted; beyond twice as many, the rarest are forgotten. */
const MOST_WORDS = 1_000_000;

/** How often words occur, in memory that does not grow with the length of what is read. */
export class WordCounts {
  readonly #counts = new Map<string, number>();

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  add(word: string): void {
    this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1);
    if (this.#counts.size > 2 * MOST_WORDS) this.#keepFrequent();
  }

  /** Of equally rare words the first ones go: what was seen long ago and never again. */
  #keepFrequent(): void {
    const rarest = [...this.#counts].sort(([, a], [, b]) => a - b).slice(0, this.#counts.size - MOST_WORDS);
    for (const [word] of rarest) this.#counts.delete(word);
  }
}
