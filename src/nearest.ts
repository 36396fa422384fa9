import { distance } from 'fastest-levenshtein';

/** The candidate that a misspelt word most likely means, or undefined when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  let best: { candidate: string; edits: number } | undefined;
  for (const candidate of candidates) {
    const known = candidate.toLowerCase();
    // `bucket` for `buckets`, `lr_decay` for `decay`: one within the other is near, however long the rest.
    const within = known.length > 2 && typed.length > 2 && (typed.includes(known) || known.includes(typed));
    const edits = distance(typed, known);
    const limit = within
      ? Number.POSITIVE_INFINITY
      : Math.max(Math.min(2, known.length - 1), Math.floor(known.length * 0.4));
    if (edits <= limit && (!best || edits < best.edits)) best = { candidate, edits };
  }
  return best?.candidate;
}

/** The candidates, those first that look most like a word. */
export function byLikeness(word: string, candidates: readonly string[]): string[] {
  return candidates
    .map((candidate) => ({ candidate, far: distance(word, candidate) }))
    .sort((a, b) => a.far - b.far)
    .map(({ candidate }) => candidate);
}

/** The candidates that look most like a word, quoted, for `Did you mean ...?`: of names that a program made. */
export function nearestNames(word: string, candidates: readonly string[], count = 3): string {
  return byLikeness(word, candidates)
    .slice(0, count)
    .map((candidate) => `'${candidate}'`)
    .join(' or ');
}
