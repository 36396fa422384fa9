import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { maskColumn, maskedMaxOfPositive, maskedMean } from './masked-pooling.ts';
import { neighbours } from './neighbours.ts';
import type { ParameterMaker } from './parameters.ts';
import { size } from './size-options.ts';

export const convolutionOptions = z.object({
  embedding: size(4096, 64, 'Width of the token embeddings.'),
  width: size(8192, 192, 'Filters of the convolution.'),
  kernel: size(15, 3, 'Tokens that a filter sees.'),
});

/** A convolution's answer for each token, float32 [B, T, width], and the mask that says which are tokens [B, T, 1]. */
export interface ConvolvedTokens {
  readonly hidden: TypedValue;
  readonly mask: TypedValue;
}

/**
 * A convolution over token embeddings (after Kim, "Convolutional Neural Networks for Sentence Classification", 2014).
 */
export function tokenConvolution(
  g: GraphBuilder,
  make: ParameterMaker,
  tokens: {
    readonly ids: TypedValue;
    readonly attentionMask: TypedValue;
    readonly vocabularySize: number;
  },
  { embedding, width, kernel }: z.output<typeof convolutionOptions>,
): ConvolvedTokens {
  const mask = maskColumn(g, tokens.attentionMask);
  const table = make.normal('embedding/weight', [tokens.vocabularySize, embedding], 0.1);
  const embedded = g.mul(g.identity(g.gather(table, tokens.ids), 'embedding/output'), mask);
  const hidden = g.scope('convolution', () => {
    const weight = make.he('weight', kernel * embedding, width);
    const bias = make.constant('bias', [width], 0);
    return g.identity(g.relu(g.add(g.matMul(neighbours(g, embedded, kernel), weight), bias)), 'output');
  });
  return { hidden, mask };
}

/** Pooled by maximum and by mean: float32 [B, 2 * width]. */
export function poolConvolution(g: GraphBuilder, { hidden, mask }: ConvolvedTokens): TypedValue {
  return g.concat([maskedMaxOfPositive(g, hidden, mask), maskedMean(g, hidden, mask)], 1);
}
