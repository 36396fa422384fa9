import { z } from 'zod';
import { neighbourRecall } from '../metrics/neighbour-recall.ts';
import { similaritySpearman } from '../metrics/similarity-spearman.ts';
import { vectorCosine } from '../metrics/vector-cosine.ts';
import { A_VECTOR } from './inner/vectors.ts';
import { defineTarget } from './target.ts';
import { type VectorSpace, vectorTruth } from './vectors-truth.ts';

const options = z
  .object({
    width: z
      .int()
      .positive()
      .max(65_536)
      .optional()
      .describe("Numbers in the vector; as many as the data's, or the teacher's, vectors have when absent."),
    normalize: z
      .boolean()
      .default(true)
      .describe('Whether the vector is scaled to length 1, so that products are cosines.'),
  })
  .describe('A vector a sample (an embedding), for search and comparison.');

/** A vector: output float32 [batch, width]. Without a field it is the teacher's vectors that are true. */
export const embedding = defineTarget({
  kind: 'embedding',
  title: 'a vector',
  options,
  features: 'pooled',
  truth: ({ width }) => vectorTruth(width),
  spaceOf: ({ width }) => (width === undefined ? undefined : { width }),
  attach(g, _make, features, { space, scope, options: { normalize } }) {
    const vector = features.project(scope, (space as VectorSpace).width);
    if (!normalize) return vector;
    // A vector of zeros stays one.
    const length = g.sqrt(g.reduceSumSquare(vector, { axes: [1], keepDims: true }));
    return g.div(vector, g.max(length, 1e-9));
  },
  objective: { labels: { cosine: 0.3 }, teacher: { cosineKd: 0.7 } },
  metrics({ space, labels, weights }) {
    const measured = { labels, weights, width: (space as VectorSpace).width };
    return [
      vectorCosine({ labels, weights }),
      similaritySpearman(measured),
      neighbourRecall({ ...measured, k: 1 }),
      neighbourRecall({ ...measured, k: 10 }),
    ];
  },
  inner: A_VECTOR,
  example: { width: 2 },
  selection: 'cosine',
  encoding: 'float16',
  config: (space) => ({ embedding_size: (space as VectorSpace).width }),
});
