import { float } from '../../onnx/attributes.ts';
import { floatAttribute, intAttribute, type TypedValue } from '../../onnx/graph.ts';
import { normalizeAxis } from '../../onnx/shape-inference/rule.ts';
import { divideBy, range, reshapeLike } from '../broadcast.ts';
import { columnSums } from '../column-sums.ts';
import { type GradientRule, inputOf } from '../rule.ts';
import { countAlong, expandTo, reshapeTo } from '../sizes.ts';
import { inFloat32 } from './in-float32.ts';

/**
 * y = xhat scale + bias with xhat = (x - mean) inv, over rows of n elements (Ba, Kiros and Hinton 2016):
 *
 *     dx = inv (dy scale - mean(dy scale) - xhat mean(dy scale xhat)),  dscale = sum(dy xhat),  dbias = sum(dy)
 *
 * xhat and inv come from one fused LayerNormalization without scale (one pass, against two for (x - mean) inv).
 * mean(dy scale xhat) is a product of dy xhat, which dscale needs anyway, with the scale vector (0.52 ms on
 * [4096, 512], as much as one more product of elements and its mean); mean(dy scale) is cheaper as a reduction of
 * what dx needs anyway (`npx tsx scripts/measure-gradients.ts`).
 */
const layerNormalization: GradientRule = (call) => {
  const { g, node } = call;
  const [x, gain] = [inputOf(call, 0), inputOf(call, 1)];
  const rank = x.shape.length;
  const axis = normalizeAxis(intAttribute(node, 'axis', -1), rank);
  const width = countAlong(g, x, range(rank).slice(axis));
  const height = countAlong(g, x, range(axis));
  const [dy, dMean, dInverse] = call.outputGradients;

  const rows = (value: TypedValue) => reshapeTo(g, value, [height, width]);
  const column = (value: TypedValue) => reshapeTo(g, value, [height, 1]);
  const ones = expandTo(g, g.scalar(1, x.type), [width]);
  const [xhat, , inverse] = g.node(
    'LayerNormalization',
    [rows(x), ones],
    { axis: -1, epsilon: float(floatAttribute(node, 'epsilon', 1e-5)) },
    { outputs: 3 },
  );
  const parts: TypedValue[] = [];
  let dGain: TypedValue | null = null;
  let dBias: TypedValue | null = null;
  if (dy) {
    const d = rows(dy);
    const dTimesXhat = g.mul(d, xhat);
    if (call.needs(0)) {
      const scaled = g.mul(d, reshapeTo(g, gain, [1, width]));
      const perElement = reshapeTo(g, divideBy(g, gain, width), [width, 1]);
      const meanScaled = g.reduceMean(scaled, { axes: [1] });
      const meanScaledXhat = g.matMul(dTimesXhat, perElement);
      const centred = g.sub(g.sub(scaled, meanScaled), g.mul(xhat, meanScaledXhat));
      parts.push(g.mul(centred, inverse));
    }
    if (call.needs(1)) dGain = reshapeLike(g, columnSums(g, dTimesXhat, height), gain);
    const bias = call.inputs[2];
    if (bias && call.needs(2)) dBias = reshapeLike(g, columnSums(g, d, height), bias);
  }
  if (call.needs(0)) {
    // d mean / dx = 1 / n; d inv / dx = -inv^2 xhat / n.
    if (dInverse) {
      const slope = divideBy(g, g.mul(column(dInverse), g.mul(inverse, inverse)), width, -1);
      parts.push(g.mul(xhat, slope));
    }
    if (dMean) parts.push(expandTo(g, divideBy(g, column(dMean), width), [height, width]));
  }
  const sum = parts.length > 1 ? g.op('Sum', parts) : parts[0];
  return [sum ? reshapeLike(g, sum, x) : null, dGain, dBias];
};

export const NORMALIZATION_RULES: Record<string, GradientRule> = {
  LayerNormalization: inFloat32(layerNormalization),
};
