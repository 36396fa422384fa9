import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import { checkHeads, multiHeadAttention } from './attention.ts';
import { defineBackbone } from './backbone.ts';
import { DEVIATION, EPSILON, embeddedTokens, encoderFeatures } from './bert-parts.ts';
import { linear } from './layers.ts';
import { size } from './size-options.ts';
import { INNER, MOST_INNER, transformerOptions } from './transformer-options.ts';

const options = z
  .object({
    ...transformerOptions({ width: 312, layers: 4, kind: 'Repetitions of the one encoder' }),
    embedding: size(8192, 128, 'Width of the embeddings, which a layer makes as wide as the rest.'),
    feedForward: size(MOST_INNER, 1248, `${INNER}.`),
  })
  .describe(
    'ALBERT (Lan et al., 2020): a BERT whose layers are one layer, repeated, and whose embeddings are narrow.',
  );

/**
 * ALBERT (Lan, Chen, Goodman, Gimpel, Sharma and Soricut, "ALBERT: A Lite BERT for Self-supervised Learning of Language
 * Representations", 2020, section 3.1; arXiv 1909.11942): embeddings of another width than the layers, and one layer that is
 * repeated. As in transformers: GELU's tanh form, a tanh pooler over the first token; values are named as its modules are
 * (`encoder/albert_layer_groups.0/albert_layers.0/ffn/weight`), weights are [inputs, outputs].
 *
 * Inputs as BERT's. Taps, one for each repetition N: `encoder/layer.N/output` [batch, sequence, width],
 * `encoder/layer.N/attention/probabilities` [batch, heads, sequence, sequence]; `embeddings/output` [batch, sequence,
 * embedding], `pooler/output` [batch, width].
 *
 * @throws LimbeckError `recipe.invalid` when the heads do not divide the width
 */
export const albert = defineBackbone({
  kind: 'albert',
  options,
  accepts: ['text'],
  features: ['pooled', 'tokens'],
  build(g, make, { width, heads, layers, embedding, feedForward }, inputs) {
    checkHeads(heads, width);
    const { hidden: embedded, attentionMask, bias } = embeddedTokens(g, make, embedding, inputs);
    // Layers whose weights are made once and used in every repetition.
    const dense = (name: string, from = width, to = width) => {
      const weight = make.normal(`${name}/weight`, [from, to], DEVIATION);
      const shift = make.constant(`${name}/bias`, [to], 0);
      return (x: TypedValue) => g.add(g.matMul(x, weight), shift);
    };
    const norm = (name: string) => {
      const scale = make.constant(`${name}/scale`, [width], 1);
      const shift = make.constant(`${name}/bias`, [width], 0);
      return (x: TypedValue) => g.layerNormalization(x, scale, shift, EPSILON);
    };

    const widened = g.scope('encoder', () =>
      linear(g, make, 'embedding_hidden_mapping_in', embedded, [embedding, width], DEVIATION),
    );
    const shared = g.scope('encoder/albert_layer_groups.0/albert_layers.0', () => ({
      projections: ['query', 'key', 'value'].map((name) => dense(`attention/${name}`)),
      joined: dense('attention/dense'),
      attentionNorm: norm('attention/LayerNorm'),
      up: dense('ffn', width, feedForward),
      down: dense('ffn_output', feedForward, width),
      lastNorm: norm('full_layer_layer_norm'),
    }));
    let hidden = widened;
    for (let layer = 0; layer < layers; layer++) {
      hidden = g.scope(`encoder/layer.${layer}`, () => {
        const attended = g.scope('attention', () => {
          const [query, key, value] = shared.projections.map((project) => project(hidden));
          const context = multiHeadAttention(g, { query, key, value, heads, width, bias });
          return shared.attentionNorm(g.add(shared.joined(context), hidden));
        });
        const inner = g.op('Gelu', [shared.up(attended)], { approximate: 'tanh' });
        return g.identity(shared.lastNorm(g.add(shared.down(inner), attended)), 'output');
      });
    }
    return encoderFeatures(g, make, { last: hidden, attentionMask, width }, (first) =>
      g.identity(g.tanh(linear(g, make, 'pooler', first, [width, width], DEVIATION)), 'pooler/output'),
    );
  },
});
