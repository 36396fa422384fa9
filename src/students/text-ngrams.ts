import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { convolutionOptions, pooledConvolution } from './convolution-over-tokens.ts';
import {
  featureCount,
  inverseDocumentFrequencies,
  LONGEST_NGRAM,
  lookUpWeights,
  type NgramSpace,
  ngramFeatures,
} from './ngram-features.ts';
import { ParameterMaker } from './parameters.ts';
import type { TextStudentArchitecture } from './student.ts';

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
 * Embeddings of a text's tokens and of its hashed n-grams, summed with TF-IDF weights of unit length, then a linear
 * classifier (Joulin et al., "Bag of Tricks for Efficient Text Classification", 2017); beside it, if wanted, the
 * convolution of `text-conv`. The n-grams are found from `input_ids` inside the graph.
 *
 * The embeddings begin at zero where they are the classes' own numbers: a feature says nothing before it has been seen.
 */
export const textNgrams: TextStudentArchitecture<typeof options> = {
  kind: 'text-ngrams',
  options,
  build(
    { longest, buckets, width, weighting, convolution },
    { vocabularySize, classes, random, trainingTexts = [] },
  ) {
    const g = new GraphBuilder();
    const make = new ParameterMaker(g, random);
    const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
    const attentionMask = g.input('attention_mask', 'int64', ['batch', 'sequence']);
    const space: NgramSpace = { vocabularySize, longest, buckets };
    const idf = weighting === 'tf-idf' ? inverseDocumentFrequencies(trainingTexts, space) : undefined;
    let logits = g.scope('ngrams', () => {
      const { features, present } = ngramFeatures(g, { ids, attentionMask }, space);
      const rows = featureCount(space);
      const table =
        width === 0
          ? make.constant('embedding/weight', [rows, classes], 0)
          : make.normal('embedding/weight', [rows, width], 0.1);
      const weights = weightsOf(g, features, present, idf);
      const bag = weightedSum(g, g.gather(table, features), width === 0 ? g.mul(weights, PACE) : weights);
      if (width === 0) return g.add(bag, make.constant('bias', [classes], 0));
      const weight = make.glorot('weight', width, classes);
      return g.gemm(g.identity(bag, 'output'), weight, make.constant('bias', [classes], 0));
    });
    if (convolution) {
      const features = pooledConvolution(g, make, { ids, attentionMask, vocabularySize }, convolution);
      const added = g.scope('classifier', () => {
        // Its biases are the n-grams'.
        const weight = make.glorot('weight', 2 * convolution.width, classes);
        return g.matMul(g.identity(features, 'input'), weight);
      });
      logits = g.add(logits, added);
    }
    g.output(logits, 'logits');
    return { graph: g.build('text-ngrams'), parameters: make.names };
  },
};

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
