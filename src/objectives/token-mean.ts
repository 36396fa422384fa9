import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** The mask of tokens, int64 [batch, sequence], as float32: 1 for a token, 0 for padding. */
export function tokenMask(g: GraphBuilder, attentionMask: TypedValue): TypedValue {
  return g.cast(attentionMask, 'float32');
}

/** The mean of a value for each token, [batch, sequence], over those that `mask` keeps: [batch]; 0 without tokens. */
export function meanOverTokens(g: GraphBuilder, values: TypedValue, mask: TypedValue): TypedValue {
  const sum = g.reduceSum(g.mul(values, mask), { axes: [1], keepDims: false });
  return g.div(sum, g.max(g.reduceSum(mask, { axes: [1], keepDims: false }), 1));
}

/** The mean of vectors [batch, sequence, width] over the tokens that `mask` keeps: [batch, width]; 0 without tokens. */
export function meanVector(g: GraphBuilder, vectors: TypedValue, mask: TypedValue): TypedValue {
  const count = g.max(g.reduceSum(mask, { axes: [1] }), 1);
  return g.squeeze(g.matMul(g.unsqueeze(g.div(mask, count), [1]), vectors), [1]);
}
