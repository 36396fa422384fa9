/** A word as the numbers of its pieces, and how often it occurs. */
export interface CountedWord {
  pieces: number[];
  readonly count: number;
}

/** More pieces than any vocabulary: a pair is one number. */
const SHIFT = 2 ** 21;

/**
 * How often pieces stand beside each other in words, kept while pairs are joined: a join looks only at the words that have the
 * pair, and the next one comes from a heap.
 */
export class PairCounts {
  readonly #words: readonly CountedWord[];
  readonly #counts = new Map<number, number>();
  /** The words in which a pair is, or was; a word may be there twice. */
  readonly #places = new Map<number, number[]>();
  /**
   * Pairs by their counts when they were entered. Counts that fell since are put right when they come up, those that rose are
   * entered again.
   */
  readonly #heap: Entry[] = [];

  constructor(words: readonly CountedWord[]) {
    this.#words = words;
    for (const [place, { pieces, count }] of words.entries()) {
      for (let i = 0; i + 1 < pieces.length; i++) this.#add(pairOf(pieces, i), count, place);
    }
    for (const [pair, count] of this.#counts) this.#push({ pair, count });
  }

  /** Of pairs with one count the one whose pieces have the smallest numbers; undefined when no pair is left. */
  mostFrequent(): { readonly pair: readonly [number, number]; readonly count: number } | undefined {
    for (;;) {
      const top = this.#pop();
      if (!top) return undefined;
      const count = this.#counts.get(top.pair) ?? 0;
      if (count <= 0) continue;
      if (count === top.count) return { pair: [Math.floor(top.pair / SHIFT), top.pair % SHIFT], count };
      if (count < top.count) this.#push({ pair: top.pair, count });
    }
  }

  /** Puts `id` where `left` and `right` stand beside each other. */
  join(left: number, right: number, id: number): void {
    const joined = left * SHIFT + right;
    const more = new Set<number>();
    for (const place of this.#places.get(joined) ?? []) {
      const word = this.#words[place] as CountedWord;
      const { pieces, count } = word;
      const after = joinedPieces(pieces, left, right, id);
      if (!after) continue;
      for (let i = 0; i + 1 < pieces.length; i++) this.#subtract(pairOf(pieces, i), count);
      for (let i = 0; i + 1 < after.length; i++) {
        const isNew = after[i] === id || after[i + 1] === id;
        if (isNew) more.add(this.#add(pairOf(after, i), count, place));
        else this.#subtract(pairOf(after, i), -count);
      }
      word.pieces = after;
    }
    this.#counts.delete(joined);
    this.#places.delete(joined);
    for (const pair of more) {
      const count = this.#counts.get(pair) ?? 0;
      if (count > 0) this.#push({ pair, count });
    }
  }

  #add(pair: number, count: number, place: number): number {
    this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + count);
    const places = this.#places.get(pair);
    if (!places) this.#places.set(pair, [place]);
    else if (places[places.length - 1] !== place) places.push(place);
    return pair;
  }

  #subtract(pair: number, count: number): void {
    this.#counts.set(pair, (this.#counts.get(pair) ?? 0) - count);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(entry, heap[above] as Entry)) break;
      heap[at] = heap[above] as Entry;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const [top] = heap;
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      const [left, right] = [heap[below] as Entry, heap[below + 1]];
      if (right && isBefore(right, left)) below++;
      if (!isBefore(heap[below] as Entry, last)) break;
      heap[at] = heap[below] as Entry;
      at = below;
    }
    heap[at] = last;
    return top;
  }
}

interface Entry {
  readonly pair: number;
  readonly count: number;
}

/** From the left, so that `aaa` is `aa` and `a`; undefined where the pair is not in the word. */
function joinedPieces(
  pieces: readonly number[],
  left: number,
  right: number,
  id: number,
): number[] | undefined {
  const after: number[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const isPair = pieces[i] === left && pieces[i + 1] === right;
    after.push(isPair ? id : (pieces[i] as number));
    if (isPair) i++;
  }
  return after.length < pieces.length ? after : undefined;
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.count > b.count || (a.count === b.count && a.pair < b.pair);
}

function pairOf(pieces: readonly number[], i: number): number {
  return (pieces[i] as number) * SHIFT + (pieces[i + 1] as number);
}
