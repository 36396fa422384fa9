import { defineBackbone } from './backbone.ts';
import { convolutionOptions, poolConvolution, tokenConvolution } from './convolution-over-tokens.ts';
import { tokenFeatures } from './linear-features.ts';
import { tokenInputs } from './token-inputs.ts';

const options = convolutionOptions.describe(
  'Embeddings, one convolution over tokens, max and mean pooling (Kim, 2014). Small and very fast.',
);

/**
 * A convolution over token embeddings, pooled by maximum and by mean
 * (after Kim, "Convolutional Neural Networks for Sentence Classification", 2014).
 */
export const textConv = defineBackbone({
  kind: 'text-conv',
  options,
  accepts: ['text'],
  features: ['pooled', 'tokens'],
  build(g, make, chosen, { vocabularySize }) {
    const { ids, attentionMask } = tokenInputs(g);
    const convolved = tokenConvolution(g, make, { ids, attentionMask, vocabularySize }, chosen);
    const { width } = chosen;
    return {
      pooled() {
        const value = poolConvolution(g, convolved);
        return {
          width: 2 * width,
          value,
          project: (scope, outputs) =>
            g.scope(scope, () => {
              const weight = make.glorot('weight', 2 * width, outputs);
              const bias = make.constant('bias', [outputs], 0);
              return g.gemm(g.identity(value, 'input'), weight, bias);
            }),
        };
      },
      tokens: () => tokenFeatures(g, make, convolved.hidden, width),
    };
  },
});
