import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** Added to probabilities before their logarithm: what is hidden from attention has a probability of 0. */
const SMALLEST = 1e-7;

/** log(p), of a bounded size where p is 0. */
export function safeLog(g: GraphBuilder, probabilities: TypedValue): TypedValue {
  return g.log(g.add(probabilities, SMALLEST));
}

/**
 * KL divergence, in nats, from the distributions `target` to those of the logarithms `logProbabilities`, along the last
 * axis, which goes away. Where a target is 0, nothing is asked of the other side.
 */
export function divergence(g: GraphBuilder, target: TypedValue, logProbabilities: TypedValue): TypedValue {
  const terms = g.mul(target, g.sub(safeLog(g, target), logProbabilities));
  return g.reduceSum(terms, { axes: [-1], keepDims: false });
}
