import type { JsonObject } from './tokenizer.ts';

/**
 * A `tokenizer.json` that lowers a text before anything else is done with it, as who calls the tokenizer may have done until now; the
 * same object where it lowers texts already.
 */
export function loweredFirst(json: JsonObject): JsonObject {
  return lowers(json.normalizer as Normalizer | null | undefined)
    ? json
    : normalizedFirst(json, { type: 'Lowercase' });
}

/** A `tokenizer.json` that leaves blanks around a text out, as who calls the tokenizer may have done until now. */
export function strippedFirst(json: JsonObject): JsonObject {
  return normalizedFirst(json, { type: 'Strip', strip_left: true, strip_right: true });
}

function normalizedFirst(json: JsonObject, first: Normalizer & JsonObject): JsonObject {
  const own = json.normalizer as Normalizer | null | undefined;
  const rest = own?.type === 'Sequence' ? (own.normalizers ?? []) : own ? [own] : [];
  return {
    ...json,
    normalizer: rest.length > 0 ? { type: 'Sequence', normalizers: [first, ...rest] } : first,
  };
}

interface Normalizer {
  readonly type: string;
  readonly lowercase?: boolean;
  readonly normalizers?: readonly Normalizer[];
}

function lowers(normalizer: Normalizer | null | undefined): boolean {
  if (!normalizer) return false;
  if (normalizer.type === 'Lowercase') return true;
  if (normalizer.type === 'BertNormalizer') return normalizer.lowercase !== false;
  return normalizer.normalizers?.some(lowers) ?? false;
}
