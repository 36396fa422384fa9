import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { type CountedWord, PairCounts } from './pair-counts.ts';
import type { JsonObject } from './tokenizer.ts';
import { WordCounts } from './word-counts.ts';

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
function countWords(texts: Iterable<string>, how: JsonObject): ReadonlyMap<string, number> {
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
  const words = new WordCounts();
  for (const text of texts) {
    const normal = library.normalizer?.(text) ?? text;
    for (const word of library.pre_tokenizer?.(normal) ?? [normal]) {
      if (word.length <= LONGEST_WORD) words.add(word);
    }
  }
  return words.counts;
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
