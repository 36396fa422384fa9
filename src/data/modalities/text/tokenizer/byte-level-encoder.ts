import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { AddedTokens } from './added-tokens.ts';
import { LETTER_OF_BYTE } from './byte-letters.ts';
import { GPT2_WORD_OF_LIBRARY } from './gpt2-words.ts';

type Json = Readonly<Record<string, unknown>>;

/** Words whose tokens are kept; beyond, all are forgotten and the next ones are kept. */
const KEPT_WORDS = 100_000;
/** Longer words hardly come again. */
const LONGEST_KEPT = 64;

/**
 * The ids that the library gives for texts of a byte-level BPE (GPT-2, Llama 3, Qwen, and those that are learnt here), some
 * twenty times as fast: most words of a text were there before, and the tokens of a word depend on nothing but the word.
 */
export class ByteLevelEncoder {
  readonly #library: LibraryTokenizer;
  /** Whether blanks around a text, and around added tokens, are left out. */
  readonly #strips: boolean;
  /** Cuts a text into what the byte-level step is given. */
  readonly #split: ((text: string) => string[]) | undefined;
  /** Cuts that into words. */
  readonly #words: RegExp | undefined;
  readonly #added: AddedTokens | undefined;
  readonly #kept = new Map<string, readonly number[]>();
  readonly #utf8 = new TextEncoder();

  /** Undefined for tokenizers of other kinds, and for what only the library knows to do. */
  static of(json: Json, library: LibraryTokenizer): ByteLevelEncoder | undefined {
    const { model, normalizer, pre_tokenizer: preTokenizer } = json;
    const strips = isStrip(normalizer);
    if ((model as Json | undefined)?.type !== 'BPE' || (normalizer !== null && !strips)) return undefined;
    const { continuing_subword_suffix: suffix, end_of_word_suffix: end, fuse_unk: fuse } = model as Json;
    if (suffix || end || fuse) return undefined;
    const steps = stepsOf(preTokenizer);
    const last = steps.at(-1);
    if (last?.type !== 'ByteLevel' || last.add_prefix_space === true) return undefined;
    if (!steps.slice(0, -1).every(({ type }) => type === 'Split')) return undefined;
    const tokens = json.added_tokens as readonly Json[];
    if (tokens.some(({ lstrip, rstrip, content }) => lstrip || rstrip || !content)) return undefined;
    if (strips && tokens.some(({ normalized }) => normalized)) return undefined;
    return new ByteLevelEncoder(library, {
      strips,
      before: steps.slice(0, -1),
      byteLevel: last,
      added: tokens,
    });
  }

  private constructor(
    library: LibraryTokenizer,
    {
      strips,
      before,
      byteLevel,
      added,
    }: { strips: boolean; before: readonly Json[]; byteLevel: Json; added: readonly Json[] },
  ) {
    this.#library = library;
    this.#strips = strips;
    if (before.length > 0) {
      const { pre_tokenizer: splitter } = new LibraryTokenizer(splitting(before), {});
      this.#split = (text) => splitter?.pre_tokenize(text) ?? [text];
    }
    this.#words = byteLevel.use_regex === false ? undefined : GPT2_WORD_OF_LIBRARY;
    const ids = new Map(added.map(({ content, id }) => [content as string, id as number]));
    if (ids.size > 0) this.#added = new AddedTokens(ids);
  }

  /** Adds the ids of a text, without special tokens around it. */
  encodeInto(text: string, ids: number[]): void {
    let from = 0;
    for (const token of this.#added?.in(text) ?? []) {
      this.#plainInto(text.slice(from, token.from), ids);
      ids.push(token.id);
      from = token.to;
    }
    this.#plainInto(from === 0 ? text : text.slice(from), ids);
  }

  #plainInto(whole: string, ids: number[]): void {
    const text = this.#strips ? whole.trim() : whole;
    if (text === '') return;
    for (const part of this.#split?.(text) ?? [text]) {
      for (const word of this.#words ? (part.match(this.#words) ?? []) : [part]) {
        for (const id of this.#idsOf(word)) ids.push(id);
      }
    }
  }

  #idsOf(word: string): readonly number[] {
    const kept = this.#kept.get(word);
    if (kept) return kept;
    const letters = Array.from(this.#utf8.encode(word), (byte) => LETTER_OF_BYTE[byte]).join('');
    const tokens: string[] = this.#library.model?._call([letters]) ?? [];
    const ids = tokens.map((token) => this.#library.token_to_id(token) as number);
    if (word.length <= LONGEST_KEPT) {
      if (this.#kept.size === KEPT_WORDS) this.#kept.clear();
      this.#kept.set(word, ids);
    }
    return ids;
  }
}

/** A normaliser that leaves blanks around texts out (`strippedFirst`). */
function isStrip(normalizer: unknown): boolean {
  if (typeof normalizer !== 'object' || normalizer === null) return false;
  const { type, strip_left: left, strip_right: right } = normalizer as Json;
  return type === 'Strip' && left === true && right === true;
}

function stepsOf(step: unknown): readonly Json[] {
  if (typeof step !== 'object' || step === null) return [];
  const { type, pretokenizers } = step as Json;
  if (type !== 'Sequence') return [step as Json];
  return Array.isArray(pretokenizers) ? pretokenizers.flatMap(stepsOf) : [];
}

/** A tokenizer that is asked for its words alone. */
function splitting(pretokenizers: readonly Json[]): object {
  return {
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers },
    post_processor: null,
    decoder: null,
    model: { type: 'BPE', vocab: {}, merges: [] },
  };
}
