import { isFloat } from '../../onnx/data-type.ts';
import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { toNumbers } from '../../onnx/tensor.ts';
import { expandLike, mapThin, reduceTo, scale, thin } from '../broadcast.ts';
import {
  type GradientCall,
  type GradientRule,
  gradientOf,
  inputOf,
  outputOf,
  UnsupportedGradient,
} from '../rule.ts';
import { masked } from './mask.ts';
import { isSquareSum, zeroAtZero } from './square-sums.ts';

/**
 * A rule for an operator of one input: `body` gives dx from dy, which may be smaller than x (`thin`): it must combine
 * dy with x or y by a broadcasting operator.
 */
function unary(body: (call: GradientCall, dy: TypedValue, x: TypedValue) => TypedValue): GradientRule {
  return (call) => [body(call, thin(gradientOf(call)), inputOf(call, 0))];
}

/** Each input gets the gradient, summed over where it was repeated. */
const sum: GradientRule = (call) => {
  const dy = gradientOf(call);
  return call.inputs.map((x, i) => (x && call.needs(i) ? reduceTo(call.g, dy, x) : null));
};

const mean: GradientRule = (call) => {
  const dy = scale(call.g, gradientOf(call), 1 / call.inputs.length);
  return call.inputs.map((x, i) => (x && call.needs(i) ? reduceTo(call.g, dy, x) : null));
};

const sub: GradientRule = (call) => {
  const dy = gradientOf(call);
  const [a, b] = [inputOf(call, 0), inputOf(call, 1)];
  return [
    call.needs(0) ? reduceTo(call.g, dy, a) : null,
    // Negated after the sum, where it is smaller.
    call.needs(1) ? scale(call.g, reduceTo(call.g, dy, b), -1) : null,
  ];
};

const mul: GradientRule = (call) => {
  const { g } = call;
  const dy = gradientOf(call);
  const [a, b] = [inputOf(call, 0), inputOf(call, 1)];
  if (a === b) return [g.mul(thin(scale(g, dy, 2)), a)];
  return [
    call.needs(0) ? reduceTo(g, product(call, dy, b), a) : null,
    call.needs(1) ? reduceTo(g, product(call, dy, a), b) : null,
  ];
};

/** dy times an operand, in dy's shape; while both are small it stays small. */
function product({ g }: GradientCall, dy: TypedValue, operand: TypedValue): TypedValue {
  return expandLike(g, g.mul(thin(dy), operand), dy);
}

const div: GradientRule = (call) => {
  const { g } = call;
  const dy = gradientOf(call);
  const [a, b] = [inputOf(call, 0), inputOf(call, 1)];
  const da = expandLike(g, g.div(thin(dy), b), dy);
  return [
    call.needs(0) ? reduceTo(g, da, a) : null,
    call.needs(1) ? scale(g, reduceTo(g, g.mul(thin(da), outputOf(call)), b), -1) : null,
  ];
};

const pow: GradientRule = (call) => {
  const { g } = call;
  const dy = gradientOf(call);
  const [x, exponent] = [inputOf(call, 0), inputOf(call, 1)];
  const y = outputOf(call);
  const dx = () => {
    const slope = powSlope(call, x, exponent, y);
    return slope ? reduceTo(g, expandLike(g, g.mul(thin(dy), slope), dy), x) : null;
  };
  const dExponent = () => {
    // y log x; zero where x is not positive: there the derivative is a limit (0) or not a real number.
    const positive = g.greater(x, 0);
    const logarithm = g.log(g.where(positive, x, 1));
    const whole = g.mul(thin(dy), g.mul(y, logarithm));
    return g.cast(reduceTo(g, whole, exponent), exponent.type);
  };
  return [call.needs(0) ? dx() : null, call.needs(1) ? dExponent() : null];
};

/**
 * dy / (2 y). At 0 the slope is infinite, and so is the gradient, as in PyTorch: add an epsilon under the root where 0 can
 * occur. The root of a sum of squares (a norm, a deviation) has the gradient 0 there, as PyTorch's own operators.
 */
const squareRoot: GradientRule = (call) => {
  const { g } = call;
  const half = thin(scale(g, gradientOf(call), 0.5));
  const y = outputOf(call);
  if (!isSquareSum(g, inputOf(call, 0))) return [g.div(half, y)];
  return [
    g.mul(
      half,
      zeroAtZero(g, y, (root) => g.reciprocal(root)),
    ),
  ];
};

/** d x^p / dx = p x^(p-1). For usual constant exponents without another power; null for p = 0. */
function powSlope(
  { g }: GradientCall,
  x: TypedValue,
  exponent: TypedValue,
  y: TypedValue,
): TypedValue | null {
  const constant = g.constantOf(exponent);
  const values = constant && toNumbers(constant);
  if (values?.length === 1) {
    const p = values[0];
    if (p === 0) return null;
    if (p === 1) return g.scalar(1, x.type);
    if (p === 2) return g.mul(x, 2);
    if (p === 3) return g.mul(g.mul(x, x), 3);
    if (p < 1 && p > 0 && isSquareSum(g, x)) return rootSlope(g, x, y, p);
    if (p === 0.5) return g.div(0.5, y);
    if (p === -1) return g.neg(g.mul(y, y));
    return g.mul(g.pow(x, p - 1), p);
  }
  const p = g.cast(exponent, x.type);
  // Where p is 0 the slope is 0, also at x = 0, where 0 x^-1 would be no number.
  const lowered = g.where(g.equal(p, 0), 0, g.sub(p, 1));
  return g.mul(p, g.pow(x, lowered));
}

/** The slope of a root of a sum of squares, 0 at 0. */
function rootSlope(g: GraphBuilder, x: TypedValue, y: TypedValue, p: number): TypedValue {
  if (p === 0.5) return zeroAtZero(g, y, (root) => g.div(0.5, root));
  return zeroAtZero(g, x, (safe) => g.mul(g.pow(safe, p - 1), p));
}

/** Ties: the whole gradient goes to the first input that attains the extremum. */
const extremum: GradientRule = (call) => {
  const { g, inputs } = call;
  const dy = gradientOf(call);
  const y = outputOf(call);
  let free: TypedValue | null = null;
  return inputs.map((x, i) => {
    if (!x) return null;
    const attains = g.equal(x, y);
    const mine: TypedValue = free ? g.and(free, attains) : attains;
    if (i < inputs.length - 1) free = free ? g.and(free, g.not(attains)) : g.not(attains);
    return call.needs(i) ? reduceTo(g, masked(g, dy, mine), x) : null;
  });
};

const where: GradientRule = (call) => {
  const { g } = call;
  const dy = gradientOf(call);
  const condition = inputOf(call, 0);
  const branch = (index: number, chosen: () => TypedValue) =>
    call.needs(index) ? reduceTo(g, masked(g, dy, chosen()), inputOf(call, index)) : null;
  return [null, branch(1, () => condition), branch(2, () => g.not(condition))];
};

/** a - b q with a whole quotient q, rounded down, or towards 0 with fmod; where it jumps the slope is that beside it. */
const modulo: GradientRule = (call) => {
  const { g } = call;
  const dy = gradientOf(call);
  const [a, b] = [inputOf(call, 0), inputOf(call, 1)];
  const quotient = () => g.div(g.sub(a, outputOf(call)), b);
  return [
    call.needs(0) ? reduceTo(g, dy, a) : null,
    call.needs(1) ? scale(g, reduceTo(g, g.mul(thin(dy), quotient()), b), -1) : null,
  ];
};

/** At a bound (where x equals it) the gradient passes to x; beyond it, to the bound. */
const clip: GradientRule = (call) => {
  const { g } = call;
  const dy = gradientOf(call);
  const x = inputOf(call, 0);
  const toBound = (index: number, beyond: (bound: TypedValue) => TypedValue) => {
    const bound = call.inputs[index];
    return bound && call.needs(index) ? reduceTo(g, masked(g, dy, beyond(bound)), bound) : null;
  };
  return [
    call.needs(0) ? masked(g, dy, g.equal(x, outputOf(call))) : null,
    toBound(1, (low) => g.less(x, low)),
    toBound(2, (high) => g.greater(x, high)),
  ];
};

const cast: GradientRule = (call) => {
  const x = inputOf(call, 0);
  return [isFloat(x.type) ? mapThin(call.g, gradientOf(call), (dy) => call.g.cast(dy, x.type)) : null];
};

const identity: GradientRule = (call) => [gradientOf(call)];

/**
 * Dropout (Srivastava et al., 2014) does nothing in an inference graph, nor where it drops nothing. In training dy goes
 * through where the mask, its second output, let x through; a pass gives nodes of models from files that output.
 */
const dropout: GradientRule = (call) => {
  const { g, outputs, inputs } = call;
  const dy = gradientOf(call);
  const [, ratio, training] = inputs;
  const known = (value: TypedValue | null | undefined) => value && g.constantOf(value)?.data[0];
  if (!training || known(training) === 0 || known(ratio) === 0) return [dy];
  const mask = outputs[1];
  if (!mask) throw new UnsupportedGradient('it drops elements at random, and its mask is no output');
  const kept = ratio ? g.cast(g.sub(1, ratio), dy.type) : g.scalar(0.5, dy.type);
  return [g.div(masked(g, dy, mask), kept)];
};

/** Steps: the derivative is zero wherever there is one. */
const step: GradientRule = () => [];

export const ELEMENTWISE_RULES: Record<string, GradientRule> = {
  Add: sum,
  Sum: sum,
  Mean: mean,
  Sub: sub,
  Mul: mul,
  Div: div,
  Pow: pow,
  Min: extremum,
  Max: extremum,
  Where: where,
  Clip: clip,
  Mod: modulo,
  Cast: cast,
  Identity: identity,
  Dropout: dropout,
  Sign: step,
  Floor: step,
  Ceil: step,
  Round: step,
  Bernoulli: step,
  RandomNormalLike: step,
  RandomUniformLike: step,
  Neg: (call) => [scale(call.g, gradientOf(call), -1)],
  Abs: unary(({ g }, dy, x) => g.mul(dy, g.sign(x))),
  Exp: unary((call, dy) => call.g.mul(dy, outputOf(call))),
  Log: unary(({ g }, dy, x) => g.div(dy, x)),
  Sqrt: squareRoot,
  Reciprocal: unary((call, dy) => {
    const y = outputOf(call);
    return call.g.neg(call.g.mul(dy, call.g.mul(y, y)));
  }),
};
