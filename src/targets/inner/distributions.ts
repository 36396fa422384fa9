import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';

/** Added where a logarithm could meet 0. */
const TINY = 1e-12;

/** The entropy of the softmax of logits [..., C] over ln C: float32 [...], 0 to 1. */
export function softmaxEntropy(g: GraphBuilder, logits: TypedValue): TypedValue {
  const axes = [logits.shape.length - 1];
  const logs = g.logSoftmax(logits);
  const entropy = g.neg(g.reduceSum(g.mul(g.exp(logs), logs), { axes, keepDims: false }));
  return g.div(entropy, Math.log(Math.max(2, logits.shape.at(-1) as number)));
}

/**
 * The Jensen-Shannon divergence of two softmax distributions over ln 2: float32 [...] of logits [..., C], 0 to 1.
 *
 * Lin, "Divergence Measures Based on the Shannon Entropy" (1991), section IV.
 */
export function softmaxDivergence(g: GraphBuilder, a: TypedValue, b: TypedValue): TypedValue {
  const axes = [a.shape.length - 1];
  const [p, q] = [a, b].map((logits) => {
    const logs = g.logSoftmax(logits);
    return { logs, values: g.exp(logs) };
  }) as [Distribution, Distribution];
  const middle = g.log(g.add(g.mul(g.add(p.values, q.values), 0.5), TINY));
  const part = ({ logs, values }: Distribution) => g.mul(values, g.sub(logs, middle));
  const sum = g.reduceSum(g.add(part(p), part(q)), { axes, keepDims: false });
  return g.mul(sum, 0.5 / Math.LN2);
}

interface Distribution {
  readonly logs: TypedValue;
  readonly values: TypedValue;
}

/** The entropy of sigmoid(logit) over ln 2, of each logit: 0 to 1. */
export function binaryEntropy(g: GraphBuilder, logits: TypedValue): TypedValue {
  const entropy = g.sub(g.op('Softplus', [logits]), g.mul(logits, g.sigmoid(logits)));
  return g.mul(entropy, 1 / Math.LN2);
}

/** The Jensen-Shannon divergence of sigmoid(a) and sigmoid(b) over ln 2, of each pair of logits: 0 to 1. */
export function binaryDivergence(g: GraphBuilder, a: TypedValue, b: TypedValue): TypedValue {
  const middle = g.mul(g.add(g.sigmoid(a), g.sigmoid(b)), 0.5);
  const other = g.sub(1, middle);
  const part = (p: TypedValue) => g.mul(p, g.log(g.add(p, TINY)));
  const entropy = g.mul(g.neg(g.add(part(middle), part(other))), 1 / Math.LN2);
  const mean = g.mul(g.add(binaryEntropy(g, a), binaryEntropy(g, b)), 0.5);
  return g.max(g.sub(entropy, mean), 0);
}

/** The mean over all axes but the first: float32 [B]. */
export function rowMean(g: GraphBuilder, x: TypedValue): TypedValue {
  return g.reduceMean(x, { axes: restOf(x), keepDims: false });
}

/** The sum over all axes but the first: float32 [B]. */
export function rowSum(g: GraphBuilder, x: TypedValue): TypedValue {
  return g.reduceSum(x, { axes: restOf(x), keepDims: false });
}

/** sum(weights * x) / sum(weights) over all axes but the first: float32 [B]; 0 where nothing counts. */
export function weighedRowMean(g: GraphBuilder, x: TypedValue, weights: TypedValue): TypedValue {
  return g.div(rowSum(g, g.mul(x, weights)), g.max(rowSum(g, weights), TINY));
}

function restOf({ shape }: TypedValue): number[] {
  return shape.slice(1).map((_, i) => i + 1);
}
