import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/**
 * The mean of `hidden`, float32 [batch, sequence, width], over the tokens where `mask`, float32 [batch, sequence],
 * is 1: [batch, width]. A row without tokens gives zeros. As a matrix product it is one pass over `hidden`.
 */
export function maskedMean(g: GraphBuilder, hidden: TypedValue, mask: TypedValue, name: string): TypedValue {
  const count = g.max(g.reduceSum(mask, { axes: [1] }), 1);
  const share = g.unsqueeze(g.div(mask, count), [1]);
  return g.op('Squeeze', [g.matMul(share, hidden), g.ints([1])], {}, { name });
}
