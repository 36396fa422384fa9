import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { bitsPerByte, nextTokenAccuracy, perplexity } from '../metrics/next-token.ts';
import { tokenScores } from '../metrics/token-scores.ts';
import { CLASSES_OF_PLACES } from './inner/places.ts';
import { bytesColumn, nextTokensTruth, type VocabularySpace } from './next-tokens-truth.ts';
import { defineTarget } from './target.ts';

const options = z.object({}).describe('The token after each token of a text: a language model.');

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
  objective: { labels: { tokenLabels: 1 }, teacher: { tokenKd: 1 } },
  reduce: (answers, batch, { labels }) => tokenScores(answers, batch, labels),
  metrics({ labels }) {
    const columns = { labels, bytes: bytesColumn(labels) };
    return [perplexity(columns), bitsPerByte(columns), nextTokenAccuracy(columns)];
  },
  inner: CLASSES_OF_PLACES,
  example: { vocabulary: 2, endOfText: [] },
  selection: 'perplexity',
  encoding: 'float16-centred',
  config: (space) => {
    const { endOfText } = space as VocabularySpace;
    return endOfText.length > 0 ? { eos_token_id: endOfText[0], bos_token_id: endOfText[0] } : {};
  },
});
