/** Tokens of the shortest text that a recipe can ask for (data.maxLength): less holds little but special tokens. */
export const LEAST_LENGTH = 4;
/** Files without a limit say so with a huge number (1e30). */
export const NO_LIMIT = 1_000_000;

/**
 * How long a text may be, as a file says it; none for one that says no limit, and for a strange value, which is told.
 *
 * @param what for people: `model_max_length of tokenizer_config.json`
 */
export function declaredLength(
  value: unknown,
  what: string,
): { readonly length?: number; readonly note?: string } {
  if (value === undefined || value === null) return {};
  if (typeof value === 'number' && value >= NO_LIMIT) return {};
  if (typeof value === 'number' && Number.isInteger(value) && value >= LEAST_LENGTH) return { length: value };
  return { note: `${what} is ${JSON.stringify(value)}, which is no number of tokens: it is ignored` };
}
