import { z } from 'zod';
import { defineBackbone } from './backbone.ts';
import { leastSquaresStart } from './least-squares-start.ts';
import { pooledFeatures, tokenFeatures } from './linear-features.ts';
import { maskColumn, maskedMean } from './masked-pooling.ts';
import { size } from './size-options.ts';
import { tokenInputs } from './token-inputs.ts';

const options = z
  .object({
    width: size(4096, 256, 'Width of the vector of a token.'),
    weights: z
      .enum(['learnt', 'frequency', 'equal'])
      .default('learnt')
      .describe(
        'How much a token counts: the less the more frequent it is in the training texts (frequency), a number that starts there and learns (learnt), or all alike (equal).',
      ),
    start: z
      .enum(['least-squares', 'drawn'])
      .default('least-squares')
      .describe(
        "First vectors: those whose means are nearest to the teacher's vectors of the training texts, in closed form (where it gives vectors), or drawn ones.",
      ),
    ridge: z
      .number()
      .positive()
      .default(1)
      .describe('How much least squares pull the vectors of rare tokens towards 0.'),
  })
  .describe(
    'One vector for each token, and their weighted mean: no layer at all. The fastest for embeddings.',
  );

/** Of smooth inverse frequency: a token of this share of all tokens counts half. */
const HALF_WEIGHT_SHARE = 1e-3;

/**
 * One vector a token and a positive weight for each, and nothing else: what a text has is the weighted mean of its tokens,
 * a table look-up. Weights start at Arora et al.'s a / (a + p) with p a token's share of the training texts ("A Simple but
 * Tough-to-Beat Baseline for Sentence Embeddings", 2017); as distilled static embeddings have them (Tulkens and van Dongen,
 * "Model2Vec", 2024).
 *
 * Taps: `tokens`, float32 [batch, sequence, width], whose plain mean over the text is what a text has; `pooled`.
 */
export const staticEmbedding = defineBackbone({
  kind: 'static-embedding',
  options,
  accepts: ['text'],
  features: ['pooled', 'tokens'],
  build(g, make, { width, weights }, { vocabularySize, trainingTexts = [] }) {
    const { ids, attentionMask } = tokenInputs(g);
    const mask = maskColumn(g, attentionMask);
    const vectors = g.gather(make.normal('embedding/weight', [vocabularySize, width], 0.1), ids);
    let tokens = vectors;
    if (weights !== 'equal') {
      const initial = logWeights(trainingTexts, vocabularySize);
      const table =
        weights === 'learnt'
          ? make.starting('embedding/log_weights', [vocabularySize, 1], initial)
          : g.initializer('embedding/log_weights', {
              type: 'float32',
              dims: [vocabularySize, 1],
              data: initial,
            });
      // Parts of the number of tokens: the plain mean of the weighted vectors is then their weighted mean.
      const kept = g.mul(g.exp(g.gather(table, ids)), mask);
      const total = g.reduceSum(kept, { axes: [1] });
      const count = g.reduceSum(mask, { axes: [1] });
      tokens = g.mul(vectors, g.mul(kept, g.div(count, g.max(total, 1e-9))));
    }
    tokens = g.identity(tokens, 'tokens');
    return {
      pooled: () => pooledFeatures(g, make, g.identity(maskedMean(g, tokens, mask), 'pooled'), width),
      tokens: () => tokenFeatures(g, make, tokens, width),
    };
  },
  start({ width, weights, start, ridge }, { vocabularySize, trainingTexts = [] }, { outputs, scope, texts }) {
    if (start === 'drawn') return new Map();
    const counted =
      weights === 'equal'
        ? new Float32Array(vocabularySize).fill(1)
        : logWeights(trainingTexts, vocabularySize).map(Math.exp);
    const { vectors, projection } = leastSquaresStart({
      ...{ vocabularySize, width, outputs, texts, ridge },
      weights: counted,
    });
    return new Map([
      ['embedding/weight', vectors],
      [`${scope}/weight`, projection],
    ]);
  },
});

/** log(a / (a + p)) of each token. Tokens that no text has count as one that is rare. */
function logWeights(texts: Iterable<ArrayLike<number>>, vocabularySize: number): Float32Array {
  const counts = new Float64Array(vocabularySize);
  let total = 0;
  for (const ids of texts) {
    for (let i = 0; i < ids.length; i++) counts[ids[i] as number]! += 1;
    total += ids.length;
  }
  return Float32Array.from(counts, (count) =>
    Math.log(HALF_WEIGHT_SHARE / (HALF_WEIGHT_SHARE + count / Math.max(1, total))),
  );
}
