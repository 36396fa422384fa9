import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { maskColumn, maskedMean } from './masked-pooling.ts';
import { ParameterMaker } from './parameters.ts';
import type { TextStudentArchitecture } from './student.ts';

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
    if (width % heads !== 0) {
      throw new LimbeckError('recipe.invalid', `${heads} attention heads do not divide a width of ${width}`, {
        where: 'student.heads',
        remedy: 'Choose a width that is a multiple of heads.',
      });
    }
    const g = new GraphBuilder();
    const make = new ParameterMaker(g, random);
    const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
    const attentionMask = g.input('attention_mask', 'int64', ['batch', 'sequence']);
    const mask = maskColumn(g, attentionMask);
    // [B, 1, 1, T]: 0 for tokens, -1e9 for padding, added to the scores.
    const bias = g.unsqueeze(g.mul(g.sub(g.cast(attentionMask, 'float32'), 1), 1e9), [1, 2]);

    const table = make.normal('embedding/weight', [vocabularySize, width], 0.1);
    const positions = make.normal('embedding/positions', [maxLength, width], 0.02);
    // The position of a token is the number of tokens before it: no shape is needed, padding gets the last one's.
    const before = g.max(g.sub(g.op('CumSum', [attentionMask, g.scalar(1, 'int64')]), 1), 0);
    let hidden = g.add(g.gather(table, ids), g.gather(positions, before));
    for (let layer = 0; layer < layers; layer++) {
      hidden = g.scope(`layer_${layer}`, () => {
        const attended = g.add(
          hidden,
          attention(g, make, norm(g, make, 'attention_norm', hidden, width), bias, width, heads),
        );
        const inner = norm(g, make, 'feed_forward_norm', attended, width);
        return g.identity(g.add(attended, block(g, make, inner, width, feedForward)), 'output');
      });
    }
    const pooled = maskedMean(g, norm(g, make, 'final_norm', hidden, width), mask);
    const logits = g.scope('classifier', () =>
      g.gemm(pooled, make.glorot('weight', width, classes), make.constant('bias', [classes], 0)),
    );
    g.output(logits, 'logits');
    return { graph: g.build('text-attention'), parameters: make.names };
  },
};

function norm(g: GraphBuilder, make: ParameterMaker, name: string, x: TypedValue, width: number): TypedValue {
  return g.scope(name, () =>
    g.layerNormalization(x, make.constant('scale', [width], 1), make.constant('bias', [width], 0)),
  );
}

function attention(
  g: GraphBuilder,
  make: ParameterMaker,
  x: TypedValue,
  bias: TypedValue,
  width: number,
  heads: number,
): TypedValue {
  const size = width / heads;
  return g.scope('attention', () => {
    const project = (name: string) =>
      g.scope(name, () => {
        const projected = g.add(
          g.matMul(x, make.glorot('weight', width, width)),
          make.constant('bias', [width], 0),
        );
        return g.reshape(projected, [0, 0, heads, size]);
      });
    const query = g.transpose(project('query'), [0, 2, 1, 3]);
    const key = g.transpose(project('key'), [0, 2, 3, 1]);
    const value = g.transpose(project('value'), [0, 2, 1, 3]);
    const scores = g.add(g.mul(g.matMul(query, key), 1 / Math.sqrt(size)), bias);
    const probabilities = g.identity(g.softmax(scores), 'probabilities');
    const context = g.reshape(g.transpose(g.matMul(probabilities, value), [0, 2, 1, 3]), [0, 0, width]);
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
