import { batchAxes, batchStatistics } from '../../onnx/batch-statistics.ts';
import { floatAttribute, intAttribute, type TypedValue } from '../../onnx/graph.ts';
import { reshapeLike } from '../broadcast.ts';
import { type GradientCall, type GradientRule, gradientOf, inputOf } from '../rule.ts';
import { asOperand, countAlong } from '../sizes.ts';
import { inFloat32 } from './in-float32.ts';

/** A value per channel [C], so that it broadcasts with x [N, C, ...]. */
function perChannel({ g }: GradientCall, value: TypedValue, x: TypedValue): TypedValue {
  return g.reshape(value, [1, -1, ...x.shape.slice(2).map(() => 1)]);
}

/** 1 / sqrt(variance + epsilon). */
function inverseDeviation({ g, node }: GradientCall, variance: TypedValue): TypedValue {
  return g.reciprocal(g.sqrt(g.add(variance, floatAttribute(node, 'epsilon', 1e-5))));
}

/** With statistics that are given: y = (x - mean) inv scale + bias. */
function frozen(call: GradientCall): (TypedValue | null)[] {
  const { g } = call;
  const dy = gradientOf(call);
  const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((index) => inputOf(call, index));
  const axes = batchAxes(x.shape.length);
  const inverse = inverseDeviation(call, variance);
  const slope = g.mul(scale, inverse);
  const sum = g.reduceSum(dy, { axes, keepDims: false });
  const centred = () => {
    const products = g.mul(dy, g.sub(x, perChannel(call, mean, x)));
    return g.reduceSum(products, { axes, keepDims: false });
  };
  return [
    call.needs(0) ? g.mul(dy, perChannel(call, slope, x)) : null,
    call.needs(1) ? reshapeLike(g, g.mul(centred(), inverse), scale) : null,
    call.needs(2) ? reshapeLike(g, sum, bias) : null,
    call.needs(3) ? reshapeLike(g, g.neg(g.mul(sum, slope)), mean) : null,
    call.needs(4)
      ? reshapeLike(g, g.mul(g.mul(centred(), g.mul(slope, g.square(inverse))), -0.5), variance)
      : null,
  ];
}

/**
 * With the batch's own statistics (Ioffe and Szegedy, "Batch Normalization", 2015, section 3):
 *
 *     dx = a (dy - mean(dy) - (x - mean) inv^2 mean(dy (x - mean))),  a = scale inv
 *
 * written as a dy + b x + c with three numbers a channel, so that x is read twice and nothing centred is kept.
 */
function ofBatch(call: GradientCall): (TypedValue | null)[] {
  const { g } = call;
  const dy = gradientOf(call);
  const [x, scale, bias] = [inputOf(call, 0), inputOf(call, 1), inputOf(call, 2)];
  const axes = batchAxes(x.shape.length);
  const { mean, variance } = batchStatistics(g, x);
  const inverse = inverseDeviation(call, variance);
  const count = asOperand(g, countAlong(g, x, axes), x.type);
  const sum = g.reduceSum(dy, { axes });
  const centred = g.sub(g.reduceSum(g.mul(dy, x), { axes }), g.mul(mean, sum));
  const dx = () => {
    const a = g.mul(perChannel(call, scale, x), inverse);
    const b = g.neg(g.div(g.mul(g.mul(a, g.square(inverse)), centred), count));
    const c = g.neg(g.add(g.div(g.mul(a, sum), count), g.mul(b, mean)));
    return g.add(g.mul(dy, a), g.add(g.mul(x, b), c));
  };
  return [
    call.needs(0) ? dx() : null,
    call.needs(1) ? reshapeLike(g, g.mul(centred, inverse), scale) : null,
    call.needs(2) ? reshapeLike(g, sum, bias) : null,
  ];
}

/** No gradient flows through the running statistics that the training form puts out. */
const batchNormalization: GradientRule = (call) => {
  if (!call.outputGradients[0]) return [];
  return intAttribute(call.node, 'training_mode', 0) === 1 ? ofBatch(call) : frozen(call);
};

export const BATCH_NORMALIZATION_RULES: Record<string, GradientRule> = {
  BatchNormalization: inFloat32(batchNormalization),
};
