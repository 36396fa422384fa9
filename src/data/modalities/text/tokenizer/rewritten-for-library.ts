type Json = Record<string, unknown>;

/**
 * A tokenizer.json that says the same in words that the JavaScript library understands as its reference does. Both read the
 * result alike, so it is also what ships. Mended so (each compared with the reference, scripts/tokenizer-cases.py):
 *
 * - `Whitespace` knows only ASCII letters there: `café` becomes `caf`, `é`.
 * - `WhitespaceSplit` takes the byte order mark for a space.
 * - `Punctuation` leaves `...` in one piece, and keeps what is to be removed.
 * - `Digits` knows only 0 to 9.
 * - `Split` at a text keeps what is to be removed.
 * - `Metaspace` does not split words, so that pieces are found across them.
 */
export function rewrittenForLibrary(json: Json): Json {
  const { pre_tokenizer: preTokenizer } = json;
  const rewritten = rewrite(preTokenizer, json);
  return rewritten === preTokenizer ? json : { ...json, pre_tokenizer: rewritten };
}

/** ASCII's punctuation and Unicode's. */
const PUNCTUATION = '[\\p{P}!-\\/:-@\\[-`{-~]';

function rewrite(step: unknown, json: Json): unknown {
  if (typeof step !== 'object' || step === null) return step;
  const { type, behavior, individual_digits: individual, split, replacement, pretokenizers } = step as Json;
  switch (type) {
    case 'Sequence': {
      if (!Array.isArray(pretokenizers)) return step;
      const steps = pretokenizers.map((one) => rewrite(one, json));
      return steps.every((one, i) => one === pretokenizers[i]) ? step : { ...step, pretokenizers: steps };
    }
    case 'Whitespace':
      return splitBy('\\w+|[^\\w\\s]+', 'Removed', true);
    case 'WhitespaceSplit':
      return splitBy('\\S+', 'Removed', true);
    case 'Punctuation':
      if (isNamed(behavior, 'removed')) return splitBy(PUNCTUATION, 'Removed');
      return behavior === undefined || isNamed(behavior, 'isolated')
        ? splitBy(PUNCTUATION, 'Isolated')
        : step;
    case 'Digits':
      return splitBy(individual ? '\\p{N}' : '\\p{N}+', 'Isolated');
    case 'Split':
      return withoutRemoved(step as Json);
    case 'Metaspace':
      if (split === false || typeof replacement !== 'string' || !spansWords(json, replacement)) return step;
      return {
        type: 'Sequence',
        pretokenizers: [{ ...step, split: false }, splitBy(`(?=${replacement})`, 'Isolated')],
      };
    default:
      return step;
  }
}

/** In the library, a text to split at becomes a group, and what a group matches is kept. */
function withoutRemoved(step: Json): Json {
  const { pattern, behavior, invert } = step;
  const text = (pattern as { String?: unknown } | undefined)?.String;
  if (typeof text !== 'string' || invert === true || !isNamed(behavior, 'removed')) return step;
  return splitBy(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'Removed');
}

function splitBy(regex: string, behavior: string, invert = false): Json {
  return { type: 'Split', pattern: { Regex: regex }, behavior, invert };
}

/** Behaviours are written `Removed` or `removed`. */
function isNamed(behavior: unknown, name: string): boolean {
  return typeof behavior === 'string' && behavior.toLowerCase() === name;
}

/** Whether a model finds other pieces in a whole text than in its words: none does that has no piece across them. */
function spansWords({ model }: Json, space: string): boolean {
  const { vocab, type, merges } = (model ?? {}) as { vocab?: unknown; type?: unknown; merges?: unknown[] };
  // Byte pairs are merged wherever they stand, but only into pieces of the vocabulary.
  if (type !== 'Unigram' && !Array.isArray(merges)) return true;
  const pieces = Array.isArray(vocab)
    ? vocab.map((entry) => (Array.isArray(entry) ? entry[0] : ''))
    : Object.keys((vocab ?? {}) as object);
  return pieces.some((piece) => typeof piece === 'string' && piece.indexOf(space, 1) > 0);
}
