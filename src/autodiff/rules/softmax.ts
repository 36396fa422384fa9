import { intAttribute, type TypedValue } from '../../onnx/graph.ts';
import { normalizeAxis } from '../../onnx/shape-inference/rule.ts';
import { thin } from '../broadcast.ts';
import { type GradientCall, type GradientRule, gradientOf, outputOf, UnsupportedGradient } from '../rule.ts';
import { scatteredAs } from '../scattered.ts';

/** Before opset 13 the operator flattened its input at the axis, and its default was 1. */
function axisOf(call: GradientCall): number {
  if (call.g.opset < 13) throw new UnsupportedGradient('its meaning before opset 13');
  return intAttribute(call.node, 'axis', -1);
}

/**
 * y (dy - sum(dy y)): three passes and a reduction. Where y is 0 (masked) the gradient is 0. A row that is -inf
 * everywhere is NaN already in ORT's forward pass: masks should be finite (-1e9), as in Transformer encoders. Where the
 * model replaces such rows (PyTorch exports scaled_dot_product_attention as Where(IsNaN(y), 0, y)) their gradient is 0.
 */
const softmax: GradientRule = (call) => {
  const { g } = call;
  const y = withoutNaN(call, outputOf(call));
  const dy = thin(gradientOf(call));
  const inner = g.reduceSum(g.mul(dy, y), { axes: [axisOf(call)] });
  return [g.mul(y, g.sub(dy, inner))];
};

/** The output without NaN, where the model itself looks for it. */
function withoutNaN({ g }: GradientCall, y: TypedValue): TypedValue {
  const test = g.nodes.find(({ opType, inputs }) => opType === 'IsNaN' && inputs[0] === y)?.outputs[0];
  return test ? g.where(test as TypedValue, 0, y) : y;
}

/**
 * dy - e^y sum(dy). A masked element (y = -inf) has e^y = 0.
 *
 * A cross-entropy's dy is zero but for one element a row: that one is added to -e^y sum(dy), and the zeros are never
 * made: less than half of the time on a language model's logits (docs/performance.md).
 */
const logSoftmax: GradientRule = (call) => {
  const { g } = call;
  const dy = gradientOf(call);
  const axis = normalizeAxis(axisOf(call), dy.shape.length);
  const scattered = scatteredAs(dy);
  const inEveryRow = scattered?.updates.shape.every((dim, i) => i === axis || dim === dy.shape[i]);
  if (scattered?.axis === axis && inEveryRow) {
    const { indices, updates } = scattered;
    const total = g.reduceSum(updates, { axes: [axis] });
    const smooth = g.mul(g.exp(outputOf(call)), g.neg(total));
    return [g.scatterElements(smooth, indices, updates, { axis, reduction: 'add' })];
  }
  const total = g.reduceSum(dy, { axes: [axis] });
  return [g.sub(thin(dy), g.mul(g.exp(outputOf(call)), total))];
};

export const SOFTMAX_RULES: Record<string, GradientRule> = {
  Softmax: softmax,
  LogSoftmax: logSoftmax,
};
