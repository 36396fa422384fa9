type Json = Readonly<Record<string, unknown>>;

/**
 * Which token a tokenizer.json needs and its vocabulary does not have, as a sentence; undefined where none is missing. The library
 * gives such tokens no id.
 *
 * @param json whose form was looked at (`formProblem`)
 * @param vocabulary the ids of tokens, and the id of what is unknown
 */
export function missingTokenProblem(
  json: Json,
  {
    idOf,
    unknown,
  }: { readonly idOf: (token: string) => number | undefined; readonly unknown: number | undefined },
): string | undefined {
  const { type, unk_token: named } = json.model as Json;
  const isMissing = (token: string) => idOf(token) === undefined;
  const framing = framingTokens(json.post_processor).find(isMissing);
  if (framing !== undefined)
    return `post_processor puts ${framing} around texts, which is not in the vocabulary`;
  if (typeof named === 'string' && !spellsBytes(json) && isMissing(named))
    return `model.unk_token, ${named}, is not in the vocabulary`;
  // A vocabulary of words knows only its own; byte pairs leave out what they do not know.
  if ((type === 'WordPiece' || type === 'WordLevel') && unknown === undefined)
    return `a ${type} vocabulary needs a token for what it does not know (model.unk_token)`;
  return undefined;
}

/** The special tokens that stand around texts, wherever post-processors name them. */
function framingTokens(step: unknown): string[] {
  if (!isRecord(step)) return [];
  const { type, processors, cls, sep } = step;
  if (type === 'Sequence') return (processors as unknown[]).flatMap(framingTokens);
  if (type === 'BertProcessing' || type === 'RobertaProcessing')
    return [cls, sep].map((token) => (token as [string])[0]);
  if (type !== 'TemplateProcessing') return [];
  const parts = [step.single, step.pair ?? []] as { readonly SpecialToken?: { readonly id: string } }[][];
  return parts.flat().flatMap(({ SpecialToken: token }) => (token ? [token.id] : []));
}

/** Whether there is a piece for each byte, so that nothing is unknown and the name of such a token has no meaning. */
function spellsBytes({ model, normalizer, pre_tokenizer: preTokenizer }: Json): boolean {
  const { byte_fallback: fallsBack, vocab } = model as Json;
  return (
    JSON.stringify([normalizer, preTokenizer]).includes('"ByteLevel"') ||
    (fallsBack === true && Object.hasOwn(vocab as object, '<0x00>'))
  );
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
