const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/**
 * What stands for each class in a prompt and in its answer: letters, or numbers of one length (`07`) where there are more than
 * 26. Letters and numbers of up to three digits are one token in most vocabularies, class names are not and may begin alike; and
 * no code is the beginning of another one, so that a token tells for how many it may stand.
 */
export function classCodes(count: number): string[] {
  if (count <= LETTERS.length) return [...LETTERS.slice(0, count)];
  const digits = String(count).length;
  return Array.from({ length: count }, (_, i) => String(i + 1).padStart(digits, '0'));
}
