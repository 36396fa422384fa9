/** The column of the words before each that is to be written, of a sentence whose truth is in another column. */
export function wordsColumn(name: string): string {
  return `${name}${WORDS}`;
}

/** Whether a column, or the input of a model, holds the words before each that is to be written. */
export function holdsWords(name: string): boolean {
  return name.endsWith(WORDS);
}

const WORDS = '/words';

/** Numbers of what stands in a sentence beside its words; those of words follow. */
export const PAD = 0;
export const UNKNOWN = 1;
export const BEGIN = 2;
export const END = 3;
/** Words of a vocabulary begin here. */
export const FIRST_WORD = 4;

/** Words (with what joins them inside: `T-shirt`, `child's`), numbers (`3.5`), and every other mark by itself. */
const PIECES = /\p{N}+(?:[.,]\p{N}+)*|[\p{L}\p{M}\p{N}]+(?:['’\-/][\p{L}\p{M}\p{N}]+)*|[^\s]/gu;
/** Marks that stand at the word before them, and at the word behind them. */
const CLOSES = /^[.,;:!?)\]}%…]$/;
const OPENS = /^[([{]$/;

/** The words and marks of a sentence, as they stand there. */
export function wordsOf(sentence: string): string[] {
  return sentence.normalize('NFC').match(PIECES) ?? [];
}

/** Words and marks as a sentence. */
export function sentenceOf(words: readonly string[]): string {
  let sentence = '';
  let glued = true;
  for (const word of words) {
    sentence += glued || CLOSES.test(word) ? word : ` ${word}`;
    glued = OPENS.test(word);
  }
  return sentence;
}

/** The words of numbers that a model wrote, up to the end that it wrote, as a sentence. */
export function writtenSentence(numbers: Iterable<number>, vocabulary: readonly string[]): string {
  const words: string[] = [];
  for (const number of numbers) {
    if (number === END || number <= PAD) break;
    words.push(vocabulary[number - FIRST_WORD] ?? '…');
  }
  return sentenceOf(words);
}
