import { intAttribute } from '../../onnx/graph.ts';
import { thin } from '../broadcast.ts';
import { type GradientCall, type GradientRule, gradientOf, outputOf, UnsupportedGradient } from '../rule.ts';

/** Before opset 13 the operator flattened its input at the axis, and its default was 1. */
function axisOf(call: GradientCall): number {
  if (call.g.opset < 13) throw new UnsupportedGradient('its meaning before opset 13');
  return intAttribute(call.node, 'axis', -1);
}

/**
 * y (dy - sum(dy y)): three passes and a reduction. Where y is 0 (masked) the gradient is 0. A row that is -inf
 * everywhere is NaN already in ORT's forward pass: masks should be finite (-1e9), as in Transformer encoders.
 */
const softmax: GradientRule = (call) => {
  const { g } = call;
  const y = outputOf(call);
  const dy = thin(gradientOf(call));
  const inner = g.reduceSum(g.mul(dy, y), { axes: [axisOf(call)] });
  return [g.mul(y, g.sub(dy, inner))];
};

/** dy - e^y sum(dy). A masked element (y = -inf) has e^y = 0. */
const logSoftmax: GradientRule = (call) => {
  const { g } = call;
  const dy = gradientOf(call);
  const total = g.reduceSum(dy, { axes: [axisOf(call)] });
  return [g.sub(thin(dy), g.mul(g.exp(outputOf(call)), total))];
};

export const SOFTMAX_RULES: Record<string, GradientRule> = {
  Softmax: softmax,
  LogSoftmax: logSoftmax,
};
