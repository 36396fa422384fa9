import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import { checkHeads, multiHeadAttention } from './attention.ts';
import { defineBackbone } from './backbone.ts';
import { DEVIATION, EPSILON, embeddedTokens, encoderFeatures } from './bert-parts.ts';
import { layerNorm, linear } from './layers.ts';
import { size } from './size-options.ts';
import { INNER, MOST_INNER, transformerOptions } from './transformer-options.ts';

const options = z
  .object({
    ...transformerOptions({ width: 256, layers: 2, kind: 'Encoder' }),
    feedForward: size(MOST_INNER, 1024, `${INNER}.`),
  })
  .describe(
    'DistilBERT (Sanh et al., 2019): a BERT of half the layers, drawn anew. With layers of its teacher it begins as `cut`.',
  );

/**
 * DistilBERT (Sanh, Debut, Chaumond and Wolf, "DistilBERT, a distilled version of BERT", 2019, section 3; arXiv 1910.01108):
 * BERT's layers, half as many, and no pooler: a head of a sample as a whole has a ReLU layer over the first token. Values are named as
 * the modules of transformers are (`transformer/layer.0/attention/q_lin/weight`); weights are [inputs, outputs].
 *
 * Inputs as BERT's. Taps: `embeddings/output`, `transformer/layer.N/output` [batch, sequence, width],
 * `transformer/layer.N/attention/probabilities` [batch, heads, sequence, sequence], `pre_classifier/output` [batch, width].
 *
 * @throws LimbeckError `recipe.invalid` when the heads do not divide the width
 */
export const distilbert = defineBackbone({
  kind: 'distilbert',
  options,
  accepts: ['text'],
  features: ['pooled', 'tokens'],
  build(g, make, { width, heads, layers, feedForward }, inputs) {
    checkHeads(heads, width);
    const { hidden: embedded, attentionMask, bias } = embeddedTokens(g, make, width, inputs);
    const dense = (name: string, x: TypedValue, from = width, to = width) =>
      linear(g, make, name, x, [from, to], DEVIATION);
    const norm = (name: string, x: TypedValue) => layerNorm(g, make, name, x, width, EPSILON);
    let hidden = embedded;
    for (let layer = 0; layer < layers; layer++) {
      hidden = g.scope(`transformer/layer.${layer}`, () => {
        const joined = g.scope('attention', () => {
          const [query, key, value] = ['q_lin', 'k_lin', 'v_lin'].map((name) => dense(name, hidden));
          return dense('out_lin', multiHeadAttention(g, { query, key, value, heads, width, bias }));
        });
        const attended = norm('sa_layer_norm', g.add(joined, hidden));
        const grown = g.scope('ffn', () => {
          const inner = g.op('Gelu', [dense('lin1', attended, width, feedForward)]);
          return dense('lin2', inner, feedForward, width);
        });
        return g.identity(norm('output_layer_norm', g.add(grown, attended)), 'output');
      });
    }
    return encoderFeatures(g, make, { last: hidden, attentionMask, width }, (first) =>
      g.identity(g.relu(dense('pre_classifier', first)), 'pre_classifier/output'),
    );
  },
});
