import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { bitsPerByte, nextTokenAccuracy, perplexity } from '../metrics/next-token.ts';
import { tokenScores } from '../metrics/token-scores.ts';
import { CLASSES_OF_PLACES } from './inner/places.ts';
import { keptTokens, likeliestOption, MOST_ENTRIES, sampledOption } from './keep-options.ts';
import { bytesColumn, nextTokensTruth, type VocabularySpace } from './next-tokens-truth.ts';
import { sortedProbabilities, spanLikelihoods } from './placed-forms.ts';
import { defineTarget, type ObjectiveWeights } from './target.ts';

/** What is kept where nothing is said. */
const KEEP = { likeliest: 32 };

const options = z
  .object({
    keep: z
      .union([
        z
          .literal('all')
          .describe('Every logit: two bytes for each token of the vocabulary, for each token of a text.'),
        likeliestOption,
        sampledOption,
        z
          .strictObject({
            sorted: z
              .int()
              .min(1)
              .max(MOST_ENTRIES)
              .describe('So many of the largest probabilities, in order, without their tokens.'),
          })
          .describe(
            'For a student with other tokens than its teacher: what uld compares, where tokens of both end at the same byte.',
          ),
        z
          .literal('spans')
          .describe(
            'For a student with other tokens than its teacher: what alignedLikelihoods compares, the likelihood of each span between two such places.',
          ),
      ])
      .default(KEEP)
      .describe("What is kept of a teacher's answer for each token of a text."),
  })
  .describe('The token after each token of a text: a language model.');

/** Whether what is kept can teach a student with other tokens than its teacher's. */
export function isForOtherTokens(keep: unknown): boolean {
  return keep === 'spans' || isSorted(keep);
}

function isSorted(keep: unknown): boolean {
  return typeof keep === 'object' && keep !== null && 'sorted' in keep;
}

/** What comes after each token: output float32 [batch, sequence, vocabulary], logits. */
export const nextTokens = defineTarget({
  kind: 'next-tokens',
  title: 'the next token',
  field: 'text',
  options,
  features: 'causal',
  readsDocuments: true,
  truth(_, { tokenizer }) {
    if (tokenizer) return nextTokensTruth(tokenizer);
    throw new LimbeckError('recipe.invalid', 'there is no text whose next token could be told', {
      where: 'outputs, target: next-tokens',
      remedy: 'Give the recipe an input of texts.',
    });
  },
  attach: (_g, _make, features, { space, scope }) =>
    features.unembed?.() ?? features.project(scope, (space as VocabularySpace).vocabulary),
  objective: { labels: { tokenLabels: 0.5 }, teacher: { nextTokenKd: 1 } },
  taughtBy({ keep }): ObjectiveWeights | undefined {
    if (keep === 'spans') return { alignedLikelihoods: 1 };
    return isSorted(keep) ? { uld: 1 } : undefined;
  },
  // Short forms of recipes name no options.
  keep({ keep = KEEP }, space) {
    if (keep === 'all') return undefined;
    if (keep === 'spans') return spanLikelihoods();
    if ('sorted' in keep) return sortedProbabilities(keep.sorted);
    return keptTokens(keep, (space as VocabularySpace).vocabulary);
  },
  reduce: (answers, batch, { labels }) => tokenScores(answers, batch, labels),
  metrics({ labels }) {
    const columns = { labels, bytes: bytesColumn(labels) };
    return [perplexity(columns), bitsPerByte(columns), nextTokenAccuracy(columns)];
  },
  inner: CLASSES_OF_PLACES,
  example: { vocabulary: 2, endOfText: [] },
  selection: 'perplexity',
  // A perplexity is of a model's own tokens: of models with different ones the bits of a byte are comparable.
  judgedBy: ({ keep }) => (isForOtherTokens(keep) ? 'bitsPerByte' : undefined),
  encoding: 'float16-centred',
  config: (space) => {
    const { endOfText } = space as VocabularySpace;
    return endOfText.length > 0 ? { eos_token_id: endOfText[0], bos_token_id: endOfText[0] } : {};
  },
});
