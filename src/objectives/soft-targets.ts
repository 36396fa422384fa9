import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** By what logits are divided before their softmax: a number, or float32 [] that may change from step to step. */
export type Temperature = number | TypedValue;

/** log softmax(logits / temperature) over the last axis: float32 [..., C] -> [..., C]. */
export function softened(g: GraphBuilder, logits: TypedValue, temperature: Temperature): TypedValue {
  if (typeof temperature !== 'number') return g.logSoftmax(g.div(logits, temperature));
  return g.logSoftmax(temperature === 1 ? logits : g.mul(logits, 1 / temperature));
}

/** KL(target || prediction) of log-probabilities [B, C], in nats: float32 [B]. */
export function klDivergence(g: GraphBuilder, target: TypedValue, prediction: TypedValue): TypedValue {
  const divergence = g.mul(g.exp(target), g.sub(target, prediction));
  return g.reduceSum(divergence, { axes: [1], keepDims: false });
}

/** The square of a temperature: what keeps the size of a gradient as the temperature changes (Hinton et al., 2015). */
export function squared(g: GraphBuilder, temperature: Temperature): Temperature {
  return typeof temperature === 'number' ? temperature ** 2 : g.square(temperature);
}
