import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { BackboneFeatures } from '../targets/features.ts';
import { checkHeads, multiHeadAttention } from './attention.ts';
import { defineBackbone, type TextInputs } from './backbone.ts';
import { DEVIATION, EPSILON, embeddedTokens, encoderFeatures } from './bert-parts.ts';
import { layerNorm, linear } from './layers.ts';
import type { ParameterMaker } from './parameters.ts';
import { size } from './size-options.ts';
import { INNER, MOST_INNER, transformerOptions } from './transformer-options.ts';

const options = z
  .object({
    ...transformerOptions({ width: 256, layers: 4, kind: 'Encoder' }),
    feedForward: size(MOST_INNER, 1024, `${INNER}.`),
  })
  .describe(
    'BERT (Devlin et al., 2019): a transformer encoder whose first token answers. For 4 layers or more.',
  );

/**
 * BERT (Devlin, Chang, Lee and Toutanova, "BERT: Pre-training of Deep Bidirectional Transformers", 2019): learned
 * positions, normalisation after each block, GELU, a tanh pooler over the first token.
 * Values are named as the modules of transformers are (`encoder/layer.0/attention/self/query/weight`); weights are
 * [inputs, outputs].
 *
 * Inputs `input_ids`, `attention_mask` and, for pairs, `token_type_ids`, int64 [batch, sequence]. Taps: `embeddings/output`, `encoder/layer.N/output` [batch, sequence, width],
 * `encoder/layer.N/attention/self/probabilities` [batch, heads, sequence, sequence], `pooler/output` [batch, width].
 *
 * @throws LimbeckError `recipe.invalid` when the heads do not divide the width
 */
export const bert = defineBackbone({
  kind: 'bert',
  options,
  accepts: ['text'],
  features: ['pooled', 'tokens'],
  build: buildBert,
});

function buildBert(
  g: GraphBuilder,
  make: ParameterMaker,
  { width, heads, layers, feedForward }: z.output<typeof options>,
  inputs: TextInputs,
): BackboneFeatures {
  checkHeads(heads, width);
  const { hidden: embedded, attentionMask, bias } = embeddedTokens(g, make, width, inputs);
  const dense = (name: string, x: TypedValue, inputs = width, outputs = width) =>
    linear(g, make, name, x, [inputs, outputs], DEVIATION);
  const norm = (x: TypedValue) => layerNorm(g, make, 'LayerNorm', x, width, EPSILON);

  let hidden = embedded;
  for (let layer = 0; layer < layers; layer++) {
    hidden = g.scope(`encoder/layer.${layer}`, () => {
      const attended = g.scope('attention', () => {
        const context = g.scope('self', () => {
          const [query, key, value] = ['query', 'key', 'value'].map((name) => dense(name, hidden));
          return multiHeadAttention(g, { query, key, value, heads, width, bias });
        });
        return g.scope('output', () => norm(g.add(dense('dense', context), hidden)));
      });
      const inner = g.op('Gelu', [dense('intermediate/dense', attended, width, feedForward)]);
      const result = g.scope('output', () =>
        norm(g.add(dense('dense', inner, feedForward, width), attended)),
      );
      return g.identity(result, 'output');
    });
  }
  return encoderFeatures(g, make, { last: hidden, attentionMask, width }, (first) =>
    g.scope('pooler', () => g.identity(g.tanh(dense('dense', first)), 'output')),
  );
}
