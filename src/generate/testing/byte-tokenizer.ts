import { type JsonObject, Tokenizer } from '../../data/modalities/text/tokenizer/tokenizer.ts';

export const END_OF_TEXT = '<|endoftext|>';

/** GPT-2's signs for bytes: those that print are themselves, the others follow each other from U+0100. */
function byteSigns(): string[] {
  const prints = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(prints(byte) ? byte : 256 + others++));
}

/**
 * A tokenizer of GPT-2's kind: a token a byte, some pairs that are joined, and the token that ends texts, the last one.
 *
 * @param merges pairs of pieces, a byte's sign each or joined before; a space is written `Ġ`
 */
export function byteTokenizer(
  merges: readonly (readonly [string, string])[] = [
    ['t', 'h'],
    ['th', 'e'],
    ['Ġ', 'the'],
  ],
): Tokenizer {
  const pieces = [...byteSigns(), ...merges.map((pair) => pair.join(''))];
  const json: JsonObject = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      {
        id: pieces.length,
        content: END_OF_TEXT,
        special: true,
        ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
      },
    ],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries([...pieces, END_OF_TEXT].map((piece, id) => [piece, id])),
      merges: merges.map((pair) => pair.join(' ')),
    },
  };
  return new Tokenizer(json, { eos_token: END_OF_TEXT, bos_token: END_OF_TEXT });
}
