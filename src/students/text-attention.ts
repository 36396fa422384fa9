import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import { checkHeads, multiHeadAttention, paddingBias } from './attention.ts';
import { defineBackbone } from './backbone.ts';
import { glorotLinear, layerNorm } from './layers.ts';
import { pooledFeatures, tokenFeatures } from './linear-features.ts';
import { maskColumn, maskedMean } from './masked-pooling.ts';
import { size } from './size-options.ts';
import { tokenInputs } from './token-inputs.ts';
import { positionsInText } from './token-positions.ts';
import { INNER, MOST_INNER, transformerOptions } from './transformer-options.ts';

const options = z
  .object({
    ...transformerOptions({ width: 64, layers: 1, kind: 'Encoder' }),
    feedForward: size(MOST_INNER, 256, `${INNER}.`),
  })
  .describe('A small transformer encoder (Vaswani et al., 2017), normalised before each block, mean-pooled.');

/** A transformer encoder with pre-normalisation and mean pooling. */
export const textAttention = defineBackbone({
  kind: 'text-attention',
  options,
  accepts: ['text'],
  features: ['pooled', 'tokens'],
  build(g, make, { width, heads, layers, feedForward }, { vocabularySize, maxLength }) {
    checkHeads(heads, width);
    const { ids, attentionMask } = tokenInputs(g);
    const mask = maskColumn(g, attentionMask);
    const bias = paddingBias(g, attentionMask);

    const table = make.normal('embedding/weight', [vocabularySize, width], 0.1);
    const positions = make.normal('embedding/positions', [maxLength, width], 0.02);
    let hidden = g.add(g.gather(table, ids), g.gather(positions, positionsInText(g, attentionMask)));
    for (let layer = 0; layer < layers; layer++) {
      hidden = g.scope(`layer_${layer}`, () => {
        const attended = g.add(hidden, attention(norm('attention_norm', hidden)));
        return g.identity(g.add(attended, block(norm('feed_forward_norm', attended))), 'output');
      });
    }
    const last = norm('final_norm', hidden);
    return {
      pooled: () => pooledFeatures(g, make, maskedMean(g, last, mask), width),
      tokens: () => tokenFeatures(g, make, last, width),
    };

    function norm(name: string, x: TypedValue): TypedValue {
      return layerNorm(g, make, name, x, width);
    }

    function attention(x: TypedValue): TypedValue {
      return g.scope('attention', () => {
        const project = (name: string, of = x) => glorotLinear(g, make, name, of, [width, width]);
        const [query, key, value] = [project('query'), project('key'), project('value')];
        return project('output', multiHeadAttention(g, { query, key, value, heads, width, bias }));
      });
    }

    function block(x: TypedValue): TypedValue {
      return g.scope('feed_forward', () => {
        const up = make.he('up/weight', width, feedForward);
        const inner = g.add(g.matMul(x, up), make.constant('up/bias', [feedForward], 0));
        const down = make.glorot('down/weight', feedForward, width);
        return g.add(g.matMul(g.relu(inner), down), make.constant('down/bias', [width], 0));
      });
    }
  },
});
