import { LETTER_OF_BYTE } from './byte-letters.ts';
import { CHATML, CHATML_TOKENS } from './chat-template-source.ts';
import { GPT2_WORD, GPT2_WORDS } from './gpt2-words.ts';
import { type CountedWord, PairCounts } from './pair-counts.ts';
import type { JsonObject } from './tokenizer.ts';
import { WordCounts } from './word-counts.ts';

export interface BpeOptions {
  /** Tokens at most: special ones, the 256 bytes, and what pairs of tokens are merged to. */
  readonly vocabulary: number;
  /** Pairs that occur less often are not merged. */
  readonly minFrequency: number;
  /** Special tokens besides `<|endoftext|>` and `<|pad|>`; with those of ChatML the tokenizer has its chat template. */
  readonly special?: readonly string[];
}

/** Between documents; what a model that continues a text ends with. */
export const END_OF_TEXT = '<|endoftext|>';
/** A token of its own: what pads must never be taken for the end of a text. */
export const BPE_PADDING = '<|pad|>';

/** Characters that are cut into words at once: the engine has no room to match longer runs. */
const CHUNK = 2 ** 20;
/** Bytes of a word that are looked at together: longer ones (base64, lines of scripts without spaces) are several words. */
const LONGEST_WORD = 256;

/**
 * Learns a byte-level BPE vocabulary from texts, as GPT-2 has it: words are sequences of bytes, and the pair of tokens that
 * stands side by side most often is merged to a new token, again and again. Every text has tokens and comes back from them
 * exactly; there is no unknown token. Ties go to the pair whose tokens came first, so that the same texts give the same
 * vocabulary.
 *
 * Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units" (2016), algorithm 1; Radford et
 * al., "Language Models are Unsupervised Multitask Learners" (2019), section 2.2.
 *
 * @returns `tokenizer.json` and `tokenizer_config.json`: special tokens have the first ids, then the bytes, then merges in order
 * @example
 * const { json, config } = trainBpe(['a text', 'another text'], { vocabulary: 300, minFrequency: 2 });
 * new Tokenizer(json, config).encode(' text'); // one token
 */
export function trainBpe(
  texts: Iterable<string>,
  options: BpeOptions,
): { readonly json: JsonObject; readonly config: JsonObject } {
  const special = [...new Set([END_OF_TEXT, BPE_PADDING, ...(options.special ?? [])])];
  const words = countWords(texts, special);
  const room = options.vocabulary - special.length;
  const { tokens, merges } = learnMerges(words, { room, minFrequency: options.minFrequency });
  return {
    json: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: special.map((content, id) => ({
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: null,
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'Split', pattern: { Regex: GPT2_WORDS }, behavior: 'Isolated', invert: false },
          { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
        ],
      },
      post_processor: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true },
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries([...special, ...tokens].map((token, id) => [token, id])),
        merges,
      },
    },
    config: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      bos_token: END_OF_TEXT,
      eos_token: END_OF_TEXT,
      pad_token: BPE_PADDING,
      ...(options.special?.length && { additional_special_tokens: [...options.special] }),
      // So a chat template finds its tokens.
      ...(CHATML_TOKENS.every((token) => special.includes(token)) && { chat_template: CHATML }),
      // Else what is decoded loses the spaces before punctuation marks.
      clean_up_tokenization_spaces: false,
    },
  };
}

/** How often each word occurs, spelt in the letters of its bytes. Special tokens are no words. */
function countWords(texts: Iterable<string>, special: readonly string[]): ReadonlyMap<string, number> {
  const words = new WordCounts();
  for (const text of texts) {
    for (const part of withoutSpecial(text, special)) {
      for (let at = 0; at < part.length; at += CHUNK) {
        const chunk = part.length > CHUNK ? part.slice(at, at + CHUNK) : part;
        for (const word of chunk.match(GPT2_WORD) ?? []) words.add(word);
      }
    }
  }
  return words.counts;
}

function withoutSpecial(text: string, special: readonly string[]): string[] {
  return special.reduce((parts, token) => parts.flatMap((part) => part.split(token)), [text]);
}

/** Tokens are numbered from the bytes on. */
function learnMerges(
  counts: ReadonlyMap<string, number>,
  { room, minFrequency }: { readonly room: number; readonly minFrequency: number },
): { readonly tokens: readonly string[]; readonly merges: readonly string[] } {
  const tokens = [...LETTER_OF_BYTE];
  const merges: string[] = [];
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const pairs = new PairCounts(bytesOf(counts));
  while (tokens.length < room) {
    const best = pairs.mostFrequent();
    if (!best || best.count < minFrequency) break;
    const [left, right] = best.pair;
    const merged = `${tokens[left]}${tokens[right]}`;
    merges.push(`${tokens[left]} ${tokens[right]}`);
    let id = idOf.get(merged);
    // Two ways may lead to the same token.
    if (id === undefined) {
      id = tokens.length;
      tokens.push(merged);
      idOf.set(merged, id);
    }
    pairs.join(left, right, id);
  }
  return { tokens, merges };
}

/** Words in an order that does not depend on that of the texts. */
function bytesOf(counts: ReadonlyMap<string, number>): CountedWord[] {
  const encoder = new TextEncoder();
  const words: CountedWord[] = [];
  for (const [word, count] of counts) {
    const bytes = encoder.encode(word);
    for (let at = 0; at < bytes.length; at += LONGEST_WORD) {
      words.push({ pieces: [...bytes.subarray(at, at + LONGEST_WORD)], count });
    }
  }
  return words;
}
