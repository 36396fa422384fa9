/**
 * The letter that stands for each byte in a byte-level vocabulary: printable bytes are themselves, the others are the letters
 * from U+0100 on, in order (`Ġ` is a space, `Ċ` the end of a line). No letter is a space, so that merges can be written as text.
 *
 * Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), section 2.2; `bytes_to_unicode` of its code.
 */
export const LETTER_OF_BYTE: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCodePoint(printable ? byte : next++);
  });
})();

/** The byte that each of these letters stands for. */
export const BYTE_OF_LETTER: ReadonlyMap<string, number> = new Map(
  LETTER_OF_BYTE.map((letter, byte) => [letter, byte]),
);
