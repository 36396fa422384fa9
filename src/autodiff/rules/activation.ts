import { float } from '../../onnx/attributes.ts';
import { floatAttribute, stringAttribute, type TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { reduceTo, thin } from '../broadcast.ts';
import { type GradientCall, type GradientRule, gradientOf, inputOf, outputOf } from '../rule.ts';
import { masked } from './mask.ts';

/** dx = dy * slope. */
function bySlope(slope: (call: GradientCall, x: TypedValue) => TypedValue): GradientRule {
  return (call) => [call.g.mul(thin(gradientOf(call)), slope(call, inputOf(call, 0)))];
}

/** At 0 the slope is 0. */
const relu: GradientRule = (call) => {
  const dy = gradientOf(call);
  return [masked(call.g, dy, call.g.greater(outputOf(call), 0))];
};

/** alpha up to 0, 1 above. */
const leakyRelu = bySlope(({ g, node }, x) => {
  const alpha = floatAttribute(node, 'alpha', 0.01);
  return g.add(g.mul(g.cast(g.greater(x, 0), x.type), 1 - alpha), alpha);
});

const prelu: GradientRule = (call) => {
  const { g } = call;
  const dy = gradientOf(call);
  const [x, slope] = [inputOf(call, 0), inputOf(call, 1)];
  const negative = g.lessOrEqual(x, 0);
  return [
    call.needs(0) ? g.mul(thin(dy), g.where(negative, slope, 1)) : null,
    call.needs(1) ? reduceTo(g, g.mul(masked(g, dy, negative), x), slope) : null,
  ];
};

/** alpha (e^x - 1) below 0: its slope there is y + alpha. */
const elu = bySlope((call, x) => {
  const { g, node } = call;
  return g.where(g.greater(x, 0), 1, g.add(outputOf(call), floatAttribute(node, 'alpha', 1)));
});

/** Klambauer et al. (2017): gamma (alpha (e^x - 1)) below 0, where the slope is y + gamma alpha; gamma x above. */
const selu = bySlope((call, x) => {
  const { g, node } = call;
  const alpha = floatAttribute(node, 'alpha', 1.6732631921768188);
  const gamma = floatAttribute(node, 'gamma', 1.0507010221481323);
  return g.where(g.greater(x, 0), gamma, g.add(outputOf(call), gamma * alpha));
});

/** Barron (2017): alpha (e^(x / alpha) - 1) below 0, where the slope is y / alpha + 1. */
const celu = bySlope((call, x) => {
  const { g, node } = call;
  const below = g.add(g.mul(outputOf(call), 1 / floatAttribute(node, 'alpha', 1)), 1);
  return g.where(g.greater(x, 0), 1, below);
});

const thresholdedRelu: GradientRule = (call) => {
  const { g, node } = call;
  const above = g.greater(inputOf(call, 0), floatAttribute(node, 'alpha', 1));
  return [masked(g, gradientOf(call), above)];
};

/** 0 between -lambda and lambda; outside it x, moved by a bias. */
const shrink: GradientRule = (call) => {
  const { g, node } = call;
  const outside = g.greater(g.abs(inputOf(call, 0)), floatAttribute(node, 'lambd', 0.5));
  return [masked(g, gradientOf(call), outside)];
};

const sigmoid: GradientRule = (call) => {
  const { g } = call;
  const y = outputOf(call);
  return [g.mul(thin(gradientOf(call)), g.mul(y, g.sub(1, y)))];
};

const tanh: GradientRule = (call) => {
  const { g } = call;
  const y = outputOf(call);
  return [g.mul(thin(gradientOf(call)), g.sub(1, g.mul(y, y)))];
};

/** 2/sqrt(pi) e^(-x^2), with the factor inside the exponential: one pass less. */
const erf = bySlope(({ g }, x) => g.exp(g.sub(Math.log(2 / Math.sqrt(Math.PI)), g.mul(x, x))));

/** Gelu (Hendrycks and Gimpel 2016), x times the normal distribution's cumulative function, or its tanh approximation. */
const gelu = bySlope(({ g, node }, x) =>
  stringAttribute(node, 'approximate', 'none') === 'tanh' ? tanhGeluSlope(g, x) : geluSlope(g, x),
);

/** cdf(x) + x pdf(x), with as few passes as we know: 8. */
function geluSlope(g: GraphBuilder, x: TypedValue): TypedValue {
  const s = g.mul(x, Math.SQRT1_2);
  // (1 + erf(s)) / 2 in one pass: within [-1, 1] HardSigmoid does not clip.
  const cdf = g.op('HardSigmoid', [g.erf(s)], { alpha: float(0.5), beta: float(0.5) });
  const pdf = g.exp(g.sub(-0.5 * Math.log(2 * Math.PI), g.mul(s, s)));
  return g.add(cdf, g.mul(x, pdf));
}

/**
 * 0.5 (1 + tanh u) = sigmoid(2u) = p with 2u = x (k + c x^2); the slope is p (1 + (1 - p) w) with
 * w = x d(2u)/dx = x (k + 3 c x^2).
 */
function tanhGeluSlope(g: GraphBuilder, x: TypedValue): TypedValue {
  const k = 2 * Math.sqrt(2 / Math.PI);
  const c = k * 0.044715;
  const cubic = g.mul(g.mul(x, x), c);
  const p = g.sigmoid(g.mul(x, g.add(cubic, k)));
  const w = g.mul(x, g.add(g.mul(cubic, 3), k));
  return g.mul(p, g.add(g.mul(g.sub(1, p), w), 1));
}

const fastGelu: GradientRule = (call) => {
  const { g } = call;
  const dy = gradientOf(call);
  const x = inputOf(call, 0);
  const bias = call.inputs[1];
  const dx = g.mul(thin(dy), tanhGeluSlope(g, bias ? g.add(x, bias) : x));
  return [dx, bias && call.needs(1) ? reduceTo(g, dx, bias) : null];
};

const biasGelu: GradientRule = (call) => {
  const { g } = call;
  const bias = inputOf(call, 1);
  const dx = g.mul(thin(gradientOf(call)), geluSlope(g, g.add(inputOf(call, 0), bias)));
  return [dx, call.needs(1) ? reduceTo(g, dx, bias) : null];
};

/** x sigmoid(alpha x): slope p (1 + alpha x (1 - p)) = p + alpha y (1 - p). */
const quickGelu = bySlope((call, x) => {
  const { g, node } = call;
  const alpha = floatAttribute(node, 'alpha', 1.702);
  const p = g.sigmoid(g.mul(x, alpha));
  return g.add(p, g.mul(g.mul(outputOf(call), alpha), g.sub(1, p)));
});

/** x tanh(softplus(x)) (Misra 2019). */
const mish = bySlope(({ g }, x) => {
  const t = g.tanh(g.op('Softplus', [x]));
  return g.add(t, g.mul(x, g.mul(g.sub(1, g.mul(t, t)), g.sigmoid(x))));
});

const softplus = bySlope(({ g }, x) => g.sigmoid(x));

/** x / (1 + |x|). */
const softsign = bySlope(({ g }, x) => {
  const inverse = g.reciprocal(g.add(g.abs(x), 1));
  return g.mul(inverse, inverse);
});

/** max(0, min(1, alpha x + beta)): at both ends the slope is 0. */
const hardSigmoid = bySlope((call) => {
  const { g, node } = call;
  const y = outputOf(call);
  const inside = g.and(g.greater(y, 0), g.less(y, 1));
  return g.mul(g.cast(inside, y.type), floatAttribute(node, 'alpha', 0.2));
});

/** x max(0, min(1, x/6 + 1/2)): slope 0 up to -3, 1 from 3 on, x/3 + 1/2 between. */
const hardSwish = bySlope(({ g }, x) => {
  const above = g.cast(g.greater(x, -3), x.type);
  const slope = g.add(g.mul(x, 1 / 3), 0.5);
  return g.mul(above, g.where(g.less(x, 3), slope, 1));
});

export const ACTIVATION_RULES: Record<string, GradientRule> = {
  Relu: relu,
  LeakyRelu: leakyRelu,
  PRelu: prelu,
  Elu: elu,
  Selu: selu,
  Celu: celu,
  ThresholdedRelu: thresholdedRelu,
  Shrink: shrink,
  Sigmoid: sigmoid,
  Tanh: tanh,
  Erf: erf,
  Gelu: gelu,
  'com.microsoft::Gelu': bySlope(({ g }, x) => geluSlope(g, x)),
  'com.microsoft::FastGelu': fastGelu,
  'com.microsoft::BiasGelu': biasGelu,
  'com.microsoft::QuickGelu': quickGelu,
  Mish: mish,
  Softplus: softplus,
  Softsign: softsign,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
};
