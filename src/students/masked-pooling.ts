import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** The attention mask int64 [B, T] as float32 [B, T, 1]. */
export function maskColumn(g: GraphBuilder, attentionMask: TypedValue): TypedValue {
  return g.unsqueeze(g.cast(attentionMask, 'float32'), [2]);
}

/** The mean of float [B, T, D] over the tokens that `mask` [B, T, 1] keeps: [B, D]. */
export function maskedMean(g: GraphBuilder, x: TypedValue, mask: TypedValue): TypedValue {
  const sum = g.reduceSum(g.mul(x, mask), { axes: [1], keepDims: false });
  const count = g.reduceSum(mask, { axes: [1], keepDims: false });
  return g.div(sum, g.max(count, 1));
}

/** The maximum of non-negative float [B, T, D] (after a ReLU) over the tokens that `mask` keeps: [B, D]; 0 for none. */
export function maskedMaxOfPositive(g: GraphBuilder, x: TypedValue, mask: TypedValue): TypedValue {
  // An empty text has no tokens at all (T = 0), and the maximum of nothing is minus infinity.
  return g.max(g.reduceMax(g.mul(x, mask), { axes: [1], keepDims: false }), 0);
}
