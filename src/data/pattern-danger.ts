/** How long a text a pattern may be given without a limit of time. */
export type SafeLength = number;

/** Patterns whose work grows with a small power of a text's length need a limit for long texts only. */
const LONG_TEXT = 1000;
/** A power that makes even short texts take for ever. */
const MANY_REPEATS = 4;

/**
 * The length up to which a text may be given to a tokenizer's regular expressions without a limit of time: 0 where one of them
 * may take exponentially long (a repeated group, as in `(a+)+`, or many repeats one after another), infinity where there
 * are none. A file's patterns are its author's, who may be anybody.
 */
export function safeLength(tokenizer: unknown): SafeLength {
  const patterns = [...patternsIn(tokenizer)];
  if (patterns.length === 0) return Number.POSITIVE_INFINITY;
  return patterns.some(mayExplode) ? 0 : LONG_TEXT;
}

/** What stands under `Regex` anywhere in the file. */
function* patternsIn(part: unknown): Generator<string> {
  if (typeof part !== 'object' || part === null) return;
  for (const [key, value] of Object.entries(part)) {
    // Vocabularies are large, and hold no patterns.
    if (key === 'vocab' || key === 'merges') continue;
    if (key === 'Regex' && typeof value === 'string') yield value;
    else yield* patternsIn(value);
  }
}

/** Whether a pattern repeats a group, or repeats too much in one of its alternatives; what is escaped or in a class is not looked at. */
export function mayExplode(pattern: string): boolean {
  const plain = pattern.replace(/\\./gs, 'x').replace(/\[(?:[^\]]|(?<=\[\^?)\])*\]/g, 'x');
  if (/\)\s*(?:[*+]|\{\d*,|\{(?!1\}|0\})\d)/.test(plain)) return true;
  return plain.split('|').some((one) => (one.match(/[*+]|\{\d*,\d*\}/g) ?? []).length >= MANY_REPEATS);
}
