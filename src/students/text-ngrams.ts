import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { defineBackbone } from './backbone.ts';
import { convolutionOptions, poolConvolution, tokenConvolution } from './convolution-over-tokens.ts';
import {
  featureCount,
  inverseDocumentFrequencies,
  LONGEST_NGRAM,
  lookUpWeights,
  type NgramSpace,
  ngramFeatures,
} from './ngram-features.ts';
import { tokenInputs } from './token-inputs.ts';

const options = z
  .object({
    longest: z
      .int()
      .min(1)
      .max(LONGEST_NGRAM)
      .default(2)
      .describe('Tokens in the longest n-gram; 1 looks at single tokens only.'),
    buckets: z
      .int()
      .positive()
      .max(2 ** 24)
      .default(16_384)
      .describe('Rows of the table that n-grams of two and more tokens share by their hash.'),
    width: z
      .int()
      .min(0)
      .max(4096)
      .default(0)
      .describe('Width of the embeddings; 0 gives each n-gram a number for each class, a linear model.'),
    weighting: z
      .enum(['tf-idf', 'mean'])
      .default('tf-idf')
      .describe(
        'tf-idf: rare n-grams count more, and what a text is made of has length 1; mean: all count alike.',
      ),
    convolution: z
      .union([z.literal(false), z.strictObject(convolutionOptions.shape)])
      .default(false)
      .describe('A convolution as in text-conv beside the n-grams; its classes are added to theirs.'),
  })
  .describe('A bag of hashed n-grams of tokens, as in fastText (Joulin et al., 2017). The fastest.');

/**
 * Embeddings of a text's tokens and of its hashed n-grams, summed with TF-IDF weights of unit length (Joulin et al., "Bag of Tricks for Efficient Text Classification", 2017); beside it, if wanted, the
 * convolution of `text-conv`. The n-grams are found from `input_ids` inside the graph.
 *
 * The embeddings begin at zero where they are the classes' own numbers: a feature says nothing before it has been seen.
 */
export const textNgrams = defineBackbone({
  kind: 'text-ngrams',
  options,
  accepts: ['text'],
  features: ['pooled', 'tokens'],
  build(
    g,
    make,
    { longest, buckets, width, weighting, convolution },
    { vocabularySize, trainingTexts = [] },
  ) {
    const { ids, attentionMask } = tokenInputs(g);
    const space: NgramSpace = { vocabularySize, longest, buckets };
    let found: ReturnType<typeof ngramFeatures> | undefined;
    let weights: TypedValue | undefined;
    let bag: TypedValue | undefined;
    let convolved: TypedValue | undefined;
    let heads = 0;

    /** The n-grams' share of a linear layer: of the embeddings, or numbers of their own for each output. */
    const ngrams = (outputs: number): TypedValue => {
      if (width > 0 && bag)
        return g.gemm(bag, make.glorot('weight', width, outputs), make.constant('bias', [outputs], 0));
      found ??= ngramFeatures(g, { ids, attentionMask }, space);
      const { features, present } = found;
      const rows = featureCount(space);
      const table =
        width === 0
          ? make.constant('embedding/weight', [rows, outputs], 0)
          : make.normal('embedding/weight', [rows, width], 0.1);
      if (!weights) {
        make.requireMemory();
        const idf = weighting === 'tf-idf' ? inverseDocumentFrequencies(trainingTexts, space) : undefined;
        weights = weightsOf(g, features, present, idf);
      }
      const sum = weightedSum(g, g.gather(table, features), width === 0 ? g.mul(weights, PACE) : weights);
      if (width === 0) return g.add(sum, make.constant('bias', [outputs], 0));
      const weight = make.glorot('weight', width, outputs);
      bag = g.identity(sum, 'output');
      return g.gemm(bag, weight, make.constant('bias', [outputs], 0));
    };

    const project = (scope: string, outputs: number): TypedValue => {
      const own = heads++ === 0 ? 'ngrams' : `${scope}/ngrams`;
      const answer = g.scope(own, () => ngrams(outputs));
      if (!convolution) return answer;
      convolved ??= poolConvolution(
        g,
        tokenConvolution(g, make, { ids, attentionMask, vocabularySize }, convolution),
      );
      const features = convolved;
      const added = g.scope(scope, () => {
        // Its biases are the n-grams'.
        const weight = make.glorot('weight', 2 * convolution.width, outputs);
        return g.matMul(g.identity(features, 'input'), weight);
      });
      return g.add(answer, added);
    };
    /** For each token only what it is itself: numbers of its own for each output. */
    const projectTokens = (scope: string, outputs: number): TypedValue =>
      g.scope(`${scope}/tokens`, () => {
        const table = make.constant('embedding/weight', [vocabularySize, outputs], 0);
        return g.add(g.mul(g.gather(table, ids), PACE), make.constant('bias', [outputs], 0));
      });
    return {
      pooled: () => ({ width: width + (convolution ? 2 * convolution.width : 0), project }),
      tokens: () => ({ width: vocabularySize, project: projectTokens }),
    };
  },
});

/**
 * The numbers of a linear bag have to grow large, each in the few steps that see its feature: they are counted in units of
 * this many, by which an optimizer like Adam takes them that much faster than a network's weights.
 */
const PACE = 10;

/** How much each feature of a text counts, float32 [B, F]: idf / length of all, or 1 / number of features. */
function weightsOf(
  g: GraphBuilder,
  features: TypedValue,
  present: TypedValue,
  idf: Float32Array | undefined,
): TypedValue {
  const weights = idf ? g.mul(lookUpWeights(g, idf, features), present) : present;
  const size = idf ? g.sqrt(g.reduceSumSquare(weights, { axes: [1] })) : g.reduceSum(weights, { axes: [1] });
  // A text without tokens has no features, and no length.
  return g.div(weights, g.max(size, 1e-6));
}

/** The sum of float32 [B, F, D] over F with the weights [B, F]: [B, D]. */
function weightedSum(g: GraphBuilder, rows: TypedValue, weights: TypedValue): TypedValue {
  return g.squeeze(g.matMul(g.unsqueeze(weights, [1]), rows), [1]);
}
