import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import type { JsonObject } from './tokenizer.ts';

export interface WordPieceOptions {
  /** Pieces at most, special tokens and single characters among them. */
  readonly vocabulary: number;
  readonly lowercase: boolean;
  /** Pairs that occur less often are not joined. */
  readonly minFrequency: number;
}

/** In the order that BERT has them; their ids are 0 to 3. */
const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'] as const;
/** Words are told apart from what continues them by it. */
const CONTINUES = '##';
/** Longer words are unknown to the tokenizer, so they teach nothing. */
const LONGEST_WORD = 100;
/** Characters that are kept, the most frequent ones: scripts of thousands of signs would leave no room for pieces. */
const MOST_CHARACTERS = 1000;
/** Different words that are counted; beyond, the rarest are forgotten. */
const MOST_WORDS = 1_000_000;

/**
 * Learns a WordPiece vocabulary from texts, as BERT reads it: words of letters, cut into the pieces that pairs of frequent
 * neighbours were joined to, the most frequent first (byte pair encoding; Sennrich et al., 2016). Ties go to the pair whose
 * pieces come first, so that the same texts give the same vocabulary.
 *
 * @returns the `tokenizer.json` and the `tokenizer_config.json` of transformers' BertTokenizerFast
 */
export function trainWordPiece(
  texts: Iterable<string>,
  options: WordPieceOptions,
): { readonly json: JsonObject; readonly config: JsonObject } {
  const { lowercase } = options;
  const words = countWords(texts, reading(lowercase));
  const pieces = learnPieces(words, options);
  const vocab = Object.fromEntries([...SPECIAL, ...pieces].map((piece, id) => [piece, id]));
  const special = (token: (typeof SPECIAL)[number]) => [token, SPECIAL.indexOf(token)];
  return {
    json: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: SPECIAL.map((content, id) => ({
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      ...reading(lowercase),
      post_processor: { type: 'BertProcessing', sep: special('[SEP]'), cls: special('[CLS]') },
      decoder: { type: 'WordPiece', prefix: CONTINUES, cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: CONTINUES,
        max_input_chars_per_word: LONGEST_WORD,
        vocab,
      },
    },
    config: {
      tokenizer_class: 'BertTokenizer',
      do_lower_case: lowercase,
      pad_token: '[PAD]',
      unk_token: '[UNK]',
      cls_token: '[CLS]',
      sep_token: '[SEP]',
    },
  };
}

/** How texts become words, as BERT does it. */
function reading(lowercase: boolean): JsonObject {
  return {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
  };
}

/** How often each word occurs, by the same library that will read texts later. */
function countWords(texts: Iterable<string>, how: JsonObject): Map<string, number> {
  const model = {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: CONTINUES,
    vocab: { '[UNK]': 0 },
  };
  const library = new LibraryTokenizer(
    { version: '1.0', added_tokens: [], ...how, post_processor: null, decoder: null, model },
    {},
  );
  const counts = new Map<string, number>();
  for (const text of texts) {
    const normal = library.normalizer?.(text) ?? text;
    for (const word of library.pre_tokenizer?.(normal) ?? [normal]) {
      if (word.length <= LONGEST_WORD) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    if (counts.size > 2 * MOST_WORDS) keepFrequent(counts, MOST_WORDS);
  }
  return counts;
}

function keepFrequent(counts: Map<string, number>, most: number): void {
  const rarest = [...counts].sort(([, a], [, b]) => a - b).slice(0, counts.size - most);
  for (const [word] of rarest) counts.delete(word);
}

/** A word as the numbers of its pieces, and how often it occurs. */
interface CountedWord {
  pieces: number[];
  readonly count: number;
}

function learnPieces(
  counts: ReadonlyMap<string, number>,
  { vocabulary, minFrequency }: WordPieceOptions,
): string[] {
  const characters = new Map<string, number>();
  for (const [word, count] of counts) {
    for (const [i, character] of [...word].entries()) {
      const piece = i === 0 ? character : `${CONTINUES}${character}`;
      characters.set(piece, (characters.get(piece) ?? 0) + count);
    }
  }
  const room = Math.max(1, vocabulary - SPECIAL.length);
  const names = [...characters]
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, Math.min(MOST_CHARACTERS, room))
    .map(([piece]) => piece);
  const idOf = new Map(names.map((piece, id) => [piece, id]));
  const words: CountedWord[] = [];
  for (const [word, count] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const pieces = [...word].map((character, i) =>
      idOf.get(i === 0 ? character : `${CONTINUES}${character}`),
    );
    // A word with a character that is left out is unknown as a whole.
    if (pieces.every((piece) => piece !== undefined)) words.push({ pieces: pieces as number[], count });
  }
  const pairs = new PairCounts(words);
  while (names.length < room) {
    const best = pairs.mostFrequent();
    if (!best || best.count < minFrequency) break;
    const [left, right] = best.pair;
    const joined = `${names[left]}${(names[right] as string).slice(CONTINUES.length)}`;
    let id = idOf.get(joined);
    // Two ways may lead to the same piece.
    if (id === undefined) {
      id = names.length;
      names.push(joined);
      idOf.set(joined, id);
    }
    pairs.join(left, right, id);
  }
  return names;
}

/** More pieces than any vocabulary: a pair is one number. */
const SHIFT = 2 ** 21;

/** How often pieces stand beside each other in words, kept while pairs are joined. */
class PairCounts {
  readonly #words: readonly CountedWord[];
  readonly #counts = new Map<number, number>();
  /** The words in which a pair is, or was. */
  readonly #places = new Map<number, Set<number>>();
  /** Pairs by their counts when they were entered: a heap, in which old entries are passed over. */
  readonly #heap: Entry[] = [];

  constructor(words: readonly CountedWord[]) {
    this.#words = words;
    for (const [place, { pieces, count }] of words.entries()) {
      for (let i = 0; i + 1 < pieces.length; i++) this.#add(pairOf(pieces, i), count, place);
    }
    for (const [pair, count] of this.#counts) this.#push({ pair, count });
  }

  mostFrequent(): { readonly pair: readonly [number, number]; readonly count: number } | undefined {
    for (;;) {
      const top = this.#pop();
      if (!top) return undefined;
      if (this.#counts.get(top.pair) !== top.count || top.count <= 0) continue;
      return { pair: [Math.floor(top.pair / SHIFT), top.pair % SHIFT], count: top.count };
    }
  }

  /** Puts `id` where `left` and `right` stand beside each other. */
  join(left: number, right: number, id: number): void {
    const joined = left * SHIFT + right;
    const changed = new Set<number>();
    for (const place of this.#places.get(joined) ?? []) {
      const word = this.#words[place] as CountedWord;
      const { pieces, count } = word;
      const after: number[] = [];
      for (let i = 0; i < pieces.length; i++) {
        const isPair = pieces[i] === left && pieces[i + 1] === right;
        after.push(isPair ? id : (pieces[i] as number));
        if (isPair) i++;
      }
      if (after.length === pieces.length) continue;
      for (let i = 0; i + 1 < pieces.length; i++) changed.add(this.#add(pairOf(pieces, i), -count, place));
      for (let i = 0; i + 1 < after.length; i++) changed.add(this.#add(pairOf(after, i), count, place));
      word.pieces = after;
    }
    this.#counts.delete(joined);
    this.#places.delete(joined);
    for (const pair of changed) {
      const count = this.#counts.get(pair) ?? 0;
      if (count > 0) this.#push({ pair, count });
    }
  }

  #add(pair: number, count: number, place: number): number {
    this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + count);
    if (count > 0) {
      const places = this.#places.get(pair) ?? new Set();
      this.#places.set(pair, places.add(place));
    }
    return pair;
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

function isBefore(a: Entry, b: Entry): boolean {
  return a.count > b.count || (a.count === b.count && a.pair < b.pair);
}

function pairOf(pieces: readonly number[], i: number): number {
  return (pieces[i] as number) * SHIFT + (pieces[i + 1] as number);
}
