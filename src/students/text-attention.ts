import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { checkHeads, multiHeadAttention, paddingBias } from './attention.ts';
import { layerNorm } from './layers.ts';
import { maskColumn, maskedMean } from './masked-pooling.ts';
import { ParameterMaker } from './parameters.ts';
import type { TextStudentArchitecture } from './student.ts';
import { positionsInText } from './token-positions.ts';

const options = z
  .object({
    width: z.int().positive().max(4096).default(64).describe('Width of embeddings and layers.'),
    heads: z.int().positive().max(64).default(4).describe('Attention heads; they divide the width.'),
    layers: z.int().positive().max(48).default(1).describe('Encoder layers.'),
    feedForward: z.int().positive().max(16_384).default(256).describe('Width inside the feed-forward block.'),
  })
  .describe('A small transformer encoder (Vaswani et al., 2017), normalised before each block, mean-pooled.');

/** A transformer encoder with pre-normalisation, mean pooling and a linear classifier. */
export const textAttention: TextStudentArchitecture<typeof options> = {
  kind: 'text-attention',
  options,
  build({ width, heads, layers, feedForward }, { vocabularySize, classes, maxLength, random }) {
    checkHeads(heads, width);
    const g = new GraphBuilder();
    const make = new ParameterMaker(g, random);
    const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
    const attentionMask = g.input('attention_mask', 'int64', ['batch', 'sequence']);
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
    const pooled = maskedMean(g, layerNorm(g, make, 'final_norm', hidden, width), mask);
    const logits = g.scope('classifier', () =>
      g.gemm(pooled, make.glorot('weight', width, classes), make.constant('bias', [classes], 0)),
    );
    g.output(logits, 'logits');
    return { graph: g.build('text-attention'), parameters: make.names };
  },
};

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
