import { SEQUENCE } from '../../../data/columns.ts';
import type { Tokenizer } from '../../../data/modalities/text/tokenizer/tokenizer.ts';
import { type CharacterSpan, tagsOfSpans } from '../../../targets/span-tags.ts';
import { tokenOffsets } from '../../../targets/token-offsets.ts';
import { type TagSpace, tagNames } from '../../../targets/token-tags-truth.ts';
import { logitsOfShares, smoothedVotes } from '../soft-answers.ts';
import type { AskedText, Question, QuestionContext } from './question.ts';
import { objectSchema, structuredQuestion } from './structured.ts';

const USUAL =
  'Find all parts of the text that the user sends which are of one of these kinds:\n{classes}\nQuote each part letter by letter as it stands in the text, in the order of the text.';

/**
 * Spans of a text with a kind each: a model quotes them, for it counts characters badly; where a quote stands in the text more
 * than once, they are taken in their order. A quote that is not in the text is left out.
 */
export function spansQuestion(context: QuestionContext): Question {
  const { kinds } = context.head.space as TagSpace;
  const tags = tagNames({ kinds }).length;
  const tokenizer = context.tokenizer as Tokenizer;
  const { smoothing } = context.choice;
  return structuredQuestion<CharacterSpan[]>({
    context,
    dims: [SEQUENCE, tags],
    usual: USUAL,
    classes: kinds,
    schema: objectSchema({
      spans: {
        type: 'array',
        items: objectSchema({ text: { type: 'string' }, kind: { type: 'string', enum: kinds } }),
      },
    }),
    answerTokens: 60,
    readAs: { kinds, smoothing, tokenizer: tokenizer.hash },
    parse({ spans }, { text }) {
      if (!Array.isArray(spans)) return 'outside';
      const found = quotedSpans(spans, text, kinds);
      // All quotes are somebody else's.
      return spans.length > 0 && found.length === 0 ? 'outside' : found;
    },
    values: (answers, sample) => tagLogits(answers, sample, { tokenizer, kinds, tags, smoothing }),
  });
}

function quotedSpans(quotes: readonly unknown[], text: string, kinds: readonly string[]): CharacterSpan[] {
  const next = new Map<string, number>();
  return quotes.flatMap((quote) => {
    const { text: quoted, kind } = (quote ?? {}) as Record<string, unknown>;
    if (typeof quoted !== 'string' || quoted === '' || !kinds.includes(kind as string)) return [];
    const start = text.indexOf(quoted, next.get(quoted) ?? 0);
    if (start < 0) return [];
    next.set(quoted, start + quoted.length);
    return [{ start, end: start + quoted.length, label: kind as string }];
  });
}

function tagLogits(
  answers: readonly (readonly CharacterSpan[])[],
  { text, length }: AskedText,
  {
    tokenizer,
    kinds,
    tags,
    smoothing,
  }: { tokenizer: Tokenizer; kinds: readonly string[]; tags: number; smoothing: number },
): Float32Array {
  const ids = tokenizer.encode(text, length);
  const offsets = tokenOffsets(tokenizer, text, ids);
  const votes = ids.map(() => new Float64Array(tags));
  for (const spans of answers) {
    const numbers = tagsOfSpans(
      spans,
      spans.map(({ label }) => kinds.indexOf(label)),
      offsets,
    );
    // Special tokens are outside of everything.
    numbers.forEach((tag, at) => {
      (votes[at] as Float64Array)[Math.max(0, tag)]! += 1;
    });
  }
  const values = new Float32Array(ids.length * tags);
  votes.forEach((counts, at) => {
    values.set(logitsOfShares(smoothedVotes(counts, smoothing)), at * tags);
  });
  return values;
}
