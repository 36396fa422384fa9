import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { fromBase64, numbersIn } from '../../../../platform/bytes.ts';

/**
 * The replacements of a `Precompiled` normaliser (SentencePiece): a double-array trie of UTF-8 strings whose values are
 * places in a list of strings that end in 0. Layout: the trie's bytes (uint32), the trie, the strings.
 */
export class PrecompiledCharsmap {
  readonly #trie: Uint32Array;
  readonly #strings: Uint8Array;

  /** @throws RangeError when the content is no charsmap */
  constructor(base64: string) {
    const bytes = fromBase64(base64);
    const view = numbersIn(bytes);
    const size = view.getUint32(0, true);
    if (size % 4 !== 0 || size > bytes.length - 4) throw new RangeError('the charsmap is cut short');
    this.#trie = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.#strings = bytes.subarray(4 + size);
  }

  /** What a character becomes: itself where the charsmap has nothing for it. */
  replace(character: string): string {
    const at = this.#find(new TextEncoder().encode(character));
    if (at === undefined) return character;
    const end = this.#strings.indexOf(0, at);
    return new TextDecoder().decode(this.#strings.subarray(at, end < 0 ? undefined : end));
  }

  /** The value of the shortest prefix that is a key, as in the reference (spm_precompiled). */
  #find(key: Uint8Array): number | undefined {
    let place = offsetOf(this.#trie[0] ?? 0);
    for (const byte of key) {
      if (byte === 0) return undefined;
      place ^= byte;
      const unit = this.#trie[place] ?? 0;
      if ((unit & 0x800000ff) >>> 0 !== byte) return undefined;
      place ^= offsetOf(unit);
      if ((unit >>> 8) & 1) return (this.#trie[place] ?? 0) & 0x7fffffff;
    }
    return undefined;
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

export interface CharsmapDifference {
  /** Whether capitals become small letters, which the library does not do. */
  readonly foldsCase: boolean;
  /** How many other characters become something else. */
  readonly others: number;
  /** Some of them. */
  readonly examples: readonly string[];
}

/** Everything that is assigned and is not half of a character or private. */
const COUNTED = /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Z}\p{Cc}\p{Cf}]$/u;
const LAST = 0xffff;
const EXAMPLES = 4;

/**
 * How the library's `Precompiled`, which looks at no charsmap but does NFKC and some spaces, differs from a charsmap,
 * over all characters up to U+FFFF.
 */
export function charsmapDifference(base64: string): CharsmapDifference {
  const charsmap = new PrecompiledCharsmap(base64);
  const library = libraryNormalizer(base64);
  const foldsCase = charsmap.replace('A') === 'a' && charsmap.replace('Z') === 'z';
  const examples: string[] = [];
  let others = 0;
  for (let point = 1; point <= LAST; point++) {
    if (point === 0xd800) point = 0xe000;
    const character = String.fromCodePoint(point);
    if (!COUNTED.test(character)) continue;
    const [wanted, given] = [charsmap.replace(character), library(character)];
    if (wanted === given || (foldsCase && wanted === given.toLowerCase())) continue;
    others++;
    if (examples.length < EXAMPLES) examples.push(`U+${point.toString(16).toUpperCase().padStart(4, '0')}`);
  }
  return { foldsCase, others, examples };
}

/** What the library does with a text. It exports no normaliser of its own, so a whole tokenizer is made around it. */
function libraryNormalizer(base64: string): (text: string) => string {
  const { normalizer } = new LibraryTokenizer(
    {
      added_tokens: [],
      normalizer: { type: 'Precompiled', precompiled_charsmap: base64 },
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      model: { type: 'WordPiece', unk_token: 'x', continuing_subword_prefix: '##', vocab: { x: 0 } },
    },
    {},
  );
  return (text) => (normalizer ? normalizer.normalize(text) : text);
}
