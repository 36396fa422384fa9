type Json = Readonly<Record<string, unknown>>;

/** Ids lie below it: the largest vocabularies have a million entries, and a table of tokens has a row for each id up to the largest. */
const MOST_IDS = 2 ** 22;
/** Steps within steps; real files have two. */
const DEEPEST = 16;

/** The sections with steps, and the keys under which sequences have theirs. */
const STEPS = {
  normalizer: 'normalizers',
  pre_tokenizer: 'pretokenizers',
  post_processor: 'processors',
  decoder: 'decoders',
} as const;

/** Steps that have a text or a regular expression to look for. */
const SEARCHING = ['Split', 'Replace'];

/**
 * What is wrong with the form of a tokenizer.json and its tokenizer_config.json, in words, undefined for nothing: the library reads a damaged file without a word
 * and gives ids that are none, or fails somewhere inside.
 */
export function formProblem(json: Json, config: Json): string | undefined {
  return (
    modelProblem(json.model) ??
    addedTokensProblem(json.added_tokens) ??
    sectionsProblem(json) ??
    configProblem(config)
  );
}

function configProblem({ additional_special_tokens: tokens }: Json): string | undefined {
  return tokens === undefined || tokens === null || Array.isArray(tokens)
    ? undefined
    : 'additional_special_tokens of tokenizer_config.json is not a list';
}

function modelProblem(model: unknown): string | undefined {
  if (!isRecord(model) || typeof model.vocab !== 'object' || model.vocab === null)
    return 'there is no model.vocab';
  const { vocab, type } = model;
  if (type === 'Unigram') return unigramProblem(model);
  if (Array.isArray(vocab)) return undefined;
  for (const [piece, id] of Object.entries(vocab as object))
    if (!isId(id)) return `model.vocab has ${shown(id)} as the id of ${shown(piece)}: ${ID_IN_WORDS}`;
  return type === 'BPE' ? mergesProblem(model.merges) : undefined;
}

function unigramProblem({ vocab, unk_id: unk }: Json): string | undefined {
  if (!Array.isArray(vocab)) return 'model.vocab is not a list of pieces';
  const wrong = vocab.findIndex((entry: unknown) => {
    const [piece, score] = Array.isArray(entry) ? entry : [];
    return typeof piece !== 'string' || typeof score !== 'number' || !Number.isFinite(score);
  });
  if (wrong >= 0) return `model.vocab[${wrong}] is not [piece, score]`;
  return Number.isInteger(unk) && (unk as number) >= 0 && (unk as number) < vocab.length
    ? undefined
    : `model.unk_id ${String(unk)} is not a position in the vocabulary`;
}

/** Either `"a b"`, or `["a", "b"]` since pieces may have spaces: the first one tells which. */
function mergesProblem(merges: unknown): string | undefined {
  if (!Array.isArray(merges)) return 'model.merges is not a list';
  const inLists = Array.isArray(merges[0]);
  const isPair = (parts: readonly unknown[]) =>
    parts.length === 2 && parts.every((part) => typeof part === 'string' && part !== '');
  const wrong = merges.findIndex((merge: unknown) =>
    inLists
      ? !(Array.isArray(merge) && isPair(merge))
      : !(typeof merge === 'string' && isPair(merge.split(' '))),
  );
  if (wrong < 0) return undefined;
  const form = inLists ? '["a", "b"]' : '"a b"';
  return `model.merges[${wrong}] is ${shown(merges[wrong])}, not two pieces (${form})`;
}

function addedTokensProblem(tokens: unknown): string | undefined {
  if (tokens === undefined || tokens === null) return undefined;
  if (!Array.isArray(tokens)) return 'added_tokens is not a list';
  for (const [i, token] of tokens.entries()) {
    if (!isRecord(token) || typeof token.content !== 'string')
      return `added_tokens[${i}] has no text (content)`;
    if (!isId(token.id))
      return `added_tokens[${i}], ${shown(token.content)}, has the id ${shown(token.id)}: ${ID_IN_WORDS}`;
  }
  return undefined;
}

function sectionsProblem(json: Json): string | undefined {
  for (const [section, inside] of Object.entries(STEPS)) {
    const problem = stepProblem(json[section], { where: section, inside });
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function stepProblem(
  step: unknown,
  { where, inside, depth = 0 }: { readonly where: string; readonly inside: string; readonly depth?: number },
): string | undefined {
  if (step === undefined || step === null) return undefined;
  if (depth > DEEPEST) return `${where} is nested more than ${DEEPEST} deep`;
  if (!isRecord(step) || typeof step.type !== 'string') return `${where} has no type`;
  if (step.type === 'Sequence') {
    const steps = step[inside];
    if (!Array.isArray(steps)) return `${where}.${inside} is not a list`;
    for (const [i, one] of steps.entries()) {
      const problem = stepProblem(one ?? {}, { where: `${where}.${inside}[${i}]`, inside, depth: depth + 1 });
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  if (SEARCHING.includes(step.type) && !isPattern(step.pattern))
    return `${where} (${step.type}) has no pattern: { "String": "..." } or { "Regex": "..." }`;
  return where.startsWith('post_processor') ? framingProblem(step, where) : undefined;
}

function isPattern(pattern: unknown): boolean {
  return isRecord(pattern) && [pattern.String, pattern.Regex].some((part) => typeof part === 'string');
}

/** Of what puts special tokens around a text. */
function framingProblem(step: Json, where: string): string | undefined {
  if (step.type === 'BertProcessing' || step.type === 'RobertaProcessing') {
    const wrong = ['sep', 'cls'].find((name) => {
      const token = step[name];
      return !Array.isArray(token) || typeof token[0] !== 'string';
    });
    return wrong && `${where}.${wrong} is not [token, id]`;
  }
  if (step.type !== 'TemplateProcessing') return undefined;
  for (const name of ['single', 'pair']) {
    const parts = step[name];
    // A template without pairs reads single texts all the same.
    if (name === 'pair' && (parts === undefined || parts === null)) continue;
    if (!Array.isArray(parts) || !parts.every((part) => namedIn(part) !== undefined))
      return `${where}.${name} is not a list of special tokens and sequences`;
    const texts = parts.filter((part) => isRecord(part.Sequence)).map(namedIn);
    if (name === 'single' && texts.join() !== 'A')
      return `${where}.single has the text ${texts.length} times, not once`;
  }
  return undefined;
}

/** The name that a part of a template has. */
function namedIn(part: unknown): string | undefined {
  const named = isRecord(part) ? (part.Sequence ?? part.SpecialToken) : undefined;
  return isRecord(named) && typeof named.id === 'string' ? named.id : undefined;
}

const ID_IN_WORDS = `ids are whole numbers from 0 to ${MOST_IDS - 1}`;

function isId(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < MOST_IDS;
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
