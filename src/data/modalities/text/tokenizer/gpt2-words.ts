/**
 * How GPT-2 cuts texts into words, within which pairs are merged: `don't stop` is `don`, `'t`, ` stop`. As it stands in a
 * tokenizer.json, where `\s` are Unicode's spaces.
 */
export const GPT2_WORDS =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** The words of a text, by the spaces of Unicode. */
export const GPT2_WORD = new RegExp(
  GPT2_WORDS.replace('[^\\s', '[^\\p{White_Space}')
    .replaceAll('\\s', '\\p{White_Space}')
    .replaceAll('\\S', '\\P{White_Space}'),
  'gu',
);

/** The same by JavaScript's spaces, which have U+FEFF and lack U+0085: the library's words where `ByteLevel` cuts them itself. */
export const GPT2_WORD_OF_LIBRARY = new RegExp(GPT2_WORDS, 'gu');
