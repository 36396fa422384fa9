import { charsmapDifference } from './precompiled-charsmap.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * What a tokenizer.json asks for that the JavaScript library (@huggingface/tokenizers, and so transformers.js) does otherwise
 * than its reference (the Rust library, and so transformers in Python): a sentence for each. A student is trained and ships
 * with the library's ids, so it answers as it was measured; but a teacher that was trained in Python sees other tokens there
 * than it learnt, and a reader in Python other ones than the student.
 *
 * What can be said otherwise with the same meaning is not here: `rewrittenForLibrary`. Each difference was found by
 * comparing the two (scripts/tokenizer-cases.py).
 */
export function libraryDifferences(json: Json): string[] {
  const found = [
    ...stepsOf(json.normalizer, 'normalizers').flatMap((step) => normalizerDifferences(step, json)),
    ...stepsOf(json.pre_tokenizer, 'pretokenizers').flatMap(preTokenizerDifferences),
    ...modelDifferences(json),
    ...addedTokenDifferences(json.added_tokens),
    ...stepsOf(json.post_processor, 'processors').flatMap((step) => postProcessorDifferences(step, json)),
  ];
  return [...new Set(found)].map(
    (difference) => `the tokenizer gives other tokens in JavaScript than in Python: ${difference}`,
  );
}

/** The steps of a sequence, in sequences too; one step is a sequence of one. */
function stepsOf(step: unknown, inside: string): Json[] {
  if (typeof step !== 'object' || step === null) return [];
  const { type, [inside]: steps } = step as Json;
  if (type !== 'Sequence') return [step as Json];
  return Array.isArray(steps) ? steps.flatMap((one) => stepsOf(one, inside)) : [];
}

function normalizerDifferences(step: Json, json: Json): string[] {
  switch (step.type) {
    case 'Precompiled':
      return precompiledDifferences(step.precompiled_charsmap);
    case 'Lowercase':
      return greek(json);
    case 'BertNormalizer': {
      const rare = step.handle_chinese_chars === true && hasPiece(json, /[\u{20000}-\u{2fa1f}]/u);
      return [
        ...(step.lowercase ? greek(json) : []),
        ...(rare ? ['Chinese characters beyond U+FFFF are not set apart (BertNormalizer)'] : []),
      ];
    }
    case 'Replace':
      return typeof step.content === 'string' && step.content.includes('$')
        ? ['a $ in the content of a Replace normaliser is read as a pattern']
        : [];
    default:
      return [];
  }
}

function precompiledDifferences(charsmap: unknown): string[] {
  if (typeof charsmap !== 'string' || charsmap === '') {
    return ['a Precompiled normaliser without a charsmap does NFKC'];
  }
  let difference: ReturnType<typeof charsmapDifference>;
  try {
    difference = charsmapDifference(charsmap);
  } catch {
    return ['the charsmap of a Precompiled normaliser cannot be read; NFKC is done in its place'];
  }
  const { foldsCase, others, examples } = difference;
  return [
    ...(foldsCase ? ['its Precompiled normaliser folds case, which is not done: capitals stay'] : []),
    ...(others > 0
      ? [
          `its Precompiled normaliser changes ${others} characters otherwise (${examples.join(', ')}${others > examples.length ? ', ...' : ''})`,
        ]
      : []),
  ];
}

/** JavaScript writes a sigma at the end of a word as ς; the reference looks at single letters. */
function greek(json: Json): string[] {
  return hasPiece(json, /[σς]/) ? ['a capital Σ at the end of a Greek word becomes ς, not σ'] : [];
}

function preTokenizerDifferences(step: Json): string[] {
  const behavior = typeof step.behavior === 'string' ? step.behavior.toLowerCase() : '';
  switch (step.type) {
    case 'Split': {
      const { Regex: regex } = (step.pattern ?? {}) as { Regex?: unknown };
      if (step.invert === true) {
        return behavior === 'removed'
          ? []
          : [`what lies between the matches of an inverted Split is lost (behavior ${step.behavior})`];
      }
      if (/^(merged|contiguous)/.test(behavior)) {
        return [`a Split with the behavior ${step.behavior} is done as Isolated`];
      }
      const groups = typeof regex === 'string' && /(^|[^\\])(\\\\)*\((?!\?)/.test(regex);
      return behavior === 'removed' && groups
        ? ['what a group in the pattern of a Split matches is kept, not removed']
        : [];
    }
    case 'Punctuation':
      return /^merged/.test(behavior)
        ? [`Punctuation with the behavior ${step.behavior} is done as Contiguous`]
        : [];
    case 'FixedLength':
      return ['FixedLength counts halves of characters beyond U+FFFF, such as emoji'];
    default:
      return [];
  }
}

function modelDifferences({ model, pre_tokenizer: preTokenizer }: Json): string[] {
  const { type, byte_fallback, dropout, continuing_subword_prefix, fuse_unk } = (model ?? {}) as Json;
  const found: string[] = [];
  if (type === 'Unigram' && byte_fallback === true) {
    found.push('unknown characters become the unknown token, not their bytes (Unigram with byte_fallback)');
  }
  // A word that begins with a space of its own does not begin with an unknown token.
  if (type === 'Unigram' && stepsOf(preTokenizer, 'pretokenizers').some(losesSpaces)) {
    found.push('unknown tokens of neighbouring words become one (Unigram over words)');
  }
  if (type !== 'BPE') return found;
  if (typeof continuing_subword_prefix === 'string' && continuing_subword_prefix !== '') {
    found.push(`the prefix ${continuing_subword_prefix} of pieces inside words is ignored (BPE)`);
  }
  if (fuse_unk === true && byte_fallback !== true && preTokenizer != null) {
    found.push('unknown tokens of neighbouring words become one (BPE with fuse_unk)');
  }
  if (typeof dropout === 'number' && dropout > 0) {
    found.push('merges are never left out at random (BPE with dropout)');
  }
  return found;
}

function losesSpaces({ type, behavior }: Json): boolean {
  return (
    type === 'BertPreTokenizer' || (typeof behavior === 'string' && behavior.toLowerCase() === 'removed')
  );
}

function addedTokenDifferences(tokens: unknown): string[] {
  if (!Array.isArray(tokens)) return [];
  const whole = tokens
    .filter((token: Json) => token.single_word === true)
    .map((token: Json) => token.content);
  if (whole.length === 0) return [];
  const some = whole.slice(0, 3).map((text) => JSON.stringify(text));
  return [
    `${some.join(', ')}${whole.length > some.length ? ', ...' : ''} ${whole.length === 1 ? 'is' : 'are'} also found inside other words (single_word)`,
  ];
}

function postProcessorDifferences(step: Json, json: Json): string[] {
  const named: [text: unknown, ids: unknown][] = [];
  if (step.type === 'TemplateProcessing') {
    const specials = Object.values((step.special_tokens ?? {}) as object) as Json[];
    for (const { id, ids } of specials) named.push([id, ids]);
  } else if (step.type === 'BertProcessing' || step.type === 'RobertaProcessing') {
    for (const pair of [step.cls, step.sep]) if (Array.isArray(pair)) named.push([pair[0], [pair[1]]]);
  }
  const wrong = named.find(([text, ids]) => {
    const id = typeof text === 'string' ? idOf(json, text) : undefined;
    return !Array.isArray(ids) || ids.length !== 1 || (id !== undefined && ids[0] !== id);
  });
  if (!wrong) return [];
  return [
    `around a text stands the token ${JSON.stringify(wrong[0])} of the vocabulary, not the ids ${JSON.stringify(wrong[1])} that the post-processor gives`,
  ];
}

function idOf({ model, added_tokens: added }: Json, text: string): number | undefined {
  const token = Array.isArray(added) ? added.find((one: Json) => one.content === text) : undefined;
  if (token) return (token as { id: number }).id;
  const { vocab } = model as { vocab?: unknown };
  if (Array.isArray(vocab)) {
    const id = vocab.findIndex((entry) => Array.isArray(entry) && entry[0] === text);
    return id < 0 ? undefined : id;
  }
  return (vocab as Record<string, number> | undefined)?.[text];
}

/** Whether some piece of the vocabulary has such a character: else a difference about it cannot show. */
function hasPiece({ model }: Json, pattern: RegExp): boolean {
  const { vocab } = (model ?? {}) as { vocab?: unknown };
  const pieces = Array.isArray(vocab)
    ? vocab.map((entry) => (Array.isArray(entry) ? entry[0] : ''))
    : Object.keys((vocab ?? {}) as object);
  return pieces.some((piece) => typeof piece === 'string' && pattern.test(piece));
}
