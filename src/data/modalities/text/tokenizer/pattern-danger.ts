/** How long a text a pattern may be given without a limit of time. */
export type SafeLength = number;

/** Beyond it, all texts are given a limit of time. */
const LONG_TEXT = 1000;
/** The steps of matching that need no limit: some 0.1 to 0.5 s, as a power of two. */
const STEPS = 26;
/** A power that makes even short texts take for ever. */
const MANY_REPEATS = 4;

/**
 * The length up to which a text may be given to a tokenizer's regular expressions without a limit of time: 0 where one of them
 * may take exponentially long (a repeated group, as in `(a+)+`, or many repeats one after another), less the more ways there are
 * to match (`a*a*a*b`, `a?a?a?aaa`), infinity where there are none. A file's patterns are its author's, who may be anybody.
 */
export function safeLength(tokenizer: unknown): SafeLength {
  const patterns = [...patternsIn(tokenizer)];
  if (patterns.length === 0) return Number.POSITIVE_INFINITY;
  return Math.min(
    LONG_TEXT,
    ...patterns.map((pattern) => (mayExplode(pattern) ? 0 : lengthWithinSteps(pattern))),
  );
}

/** What stands under `Regex` anywhere in the file. */
function* patternsIn(part: unknown): Generator<string> {
  if (typeof part !== 'object' || part === null) return;
  for (const [key, value] of Object.entries(part)) {
    // Vocabularies are large, and hold no patterns.
    if (key === 'vocab' || key === 'merges' || key === 'added_tokens') continue;
    if (key === 'Regex' && typeof value === 'string') yield value;
    else yield* patternsIn(value);
  }
}

/** Whether a pattern repeats a group, or repeats too much in one of its alternatives; what is escaped or in a class is not looked at. */
export function mayExplode(pattern: string): boolean {
  const plain = withoutContents(pattern);
  if (/\)\s*(?:[*+]|\{\d*,|\{(?!1\}|0\})\d)/.test(plain)) return true;
  return plain.split('|').some((one) => (one.match(/[*+]|\{\d*,\d*\}/g) ?? []).length >= MANY_REPEATS);
}

/**
 * The longest text that a pattern without repeated groups matches in few enough steps, at worst: from each place, a repeat may end
 * at as many places as the text has, and each optional part and each branch of a group doubles the ways.
 */
function lengthWithinSteps(pattern: string): number {
  // A repeat of what a group held is compared letter by letter.
  const references = pattern.match(/\\(?:[1-9]|k<)/g)?.length ?? 0;
  const lengths = alternatives(withoutContents(pattern)).map((one) => {
    const repeats = (one.match(/[*+]|\{\d*,\d*\}/g)?.length ?? 0) + references;
    const doublings = one.match(/(?<![(*+?}])\?|\|/g)?.length ?? 0;
    return Math.floor(2 ** (Math.max(0, STEPS - doublings) / (repeats + 1)));
  });
  // As many doublings as steps: whatever the text, it may take for ever.
  return Math.min(...lengths.map((length) => (length <= 1 ? 0 : length)));
}

/** What stands between the bars that are in no group. */
function alternatives(plain: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const letter of plain) {
    if (letter === '(') depth++;
    else if (letter === ')') depth--;
    if (letter === '|' && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts;
}

/** The pattern with a letter in place of all that is escaped or in a class. */
function withoutContents(pattern: string): string {
  return pattern.replace(/\\./gs, 'x').replace(/\[(?:[^\]]|(?<=\[\^?)\])*\]/g, 'x');
}
