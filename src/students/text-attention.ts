import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { checkHeads, multiHeadAttention, paddingBias } from './attention.ts';
import { defineBackbone } from './backbone.ts';
import { layerNorm } from './layers.ts';
import { pooledFeatures, tokenFeatures } from './linear-features.ts';
import { maskColumn, maskedMean } from './masked-pooling.ts';
import type { ParameterMaker } from './parameters.ts';
import { tokenInputs } from './token-inputs.ts';
import { positionsInText } from './token-positions.ts';

const options = z
  .object({
    width: z.int().positive().max(4096).default(64).describe('Width of embeddings and layers.'),
    heads: z.int().positive().max(64).default(4).describe('Attention heads; they divide the width.'),
    layers: z.int().positive().max(48).default(1).describe('Encoder layers.'),
    feedForward: z.int().positive().max(16_384).default(256).describe('Width inside the feed-forward block.'),
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
        const attended = g.add(
          hidden,
          attention(g, make, layerNorm(g, make, 'attention_norm', hidden, width), bias, width, heads),
        );
        const inner = layerNorm(g, make, 'feed_forward_norm', attended, width);
        return g.identity(g.add(attended, block(g, make, inner, width, feedForward)), 'output');
      });
    }
    const last = layerNorm(g, make, 'final_norm', hidden, width);
    return {
      pooled: () => pooledFeatures(g, make, maskedMean(g, last, mask), width),
      tokens: () => tokenFeatures(g, make, last, width),
    };
  },
});

function attention(
  g: GraphBuilder,
  make: ParameterMaker,
  x: TypedValue,
  bias: TypedValue,
  width: number,
  heads: number,
): TypedValue {
  return g.scope('attention', () => {
    const project = (name: string) =>
      g.scope(name, () =>
        g.add(g.matMul(x, make.glorot('weight', width, width)), make.constant('bias', [width], 0)),
      );
    const [query, key, value] = [project('query'), project('key'), project('value')];
    const context = multiHeadAttention(g, { query, key, value, heads, width, bias });
    return g.scope('output', () =>
      g.add(g.matMul(context, make.glorot('weight', width, width)), make.constant('bias', [width], 0)),
    );
  });
}

function block(
  g: GraphBuilder,
  make: ParameterMaker,
  x: TypedValue,
  width: number,
  inner: number,
): TypedValue {
  return g.scope('feed_forward', () => {
    const up = g.add(g.matMul(x, make.he('up/weight', width, inner)), make.constant('up/bias', [inner], 0));
    const down = make.glorot('down/weight', inner, width);
    return g.add(g.matMul(g.relu(up), down), make.constant('down/bias', [width], 0));
  });
}
