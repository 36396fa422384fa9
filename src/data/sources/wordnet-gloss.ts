/** A gloss is a definition, then examples in quotes: `a separate entity; "he saw a thing"`. */
export function definition(gloss: string): string {
  return gloss.replace(/[;:,]\s*".*$/s, '').trim();
}

/** The examples of a gloss, without their quotes. */
export function examples(gloss: string): string[] {
  return Array.from(gloss.matchAll(/"([^"]+)"/g), ([, text]) => (text as string).trim());
}
