import type { JsonObject } from './tokenizer.ts';

/**
 * A `tokenizer.json` that lowers a text before anything else is done with it, as who calls the tokenizer may have done until now; the
 * same object where it lowers texts already.
 */
export function loweredFirst(json: JsonObject): JsonObject {
  const own = json.normalizer as Normalizer | null | undefined;
  if (lowers(own)) return json;
  const lower: Normalizer = { type: 'Lowercase' };
  const rest = own?.type === 'Sequence' ? (own.normalizers ?? []) : own ? [own] : [];
  return {
    ...json,
    normalizer: rest.length > 0 ? { type: 'Sequence', normalizers: [lower, ...rest] } : lower,
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
