import { intAttribute, type TypedValue } from '../../onnx/graph.ts';
import { countAlong, expandLike, range, reshapeLike, scale, thin } from '../broadcast.ts';
import {
  frontAxes,
  type GradientCall,
  type GradientRule,
  gradientOf,
  inputOf,
  listOf,
  outputOf,
} from '../rule.ts';

interface Reduction {
  readonly x: TypedValue;
  readonly axes: readonly number[];
  /** Output and its gradient, with the reduced axes kept as size 1, so that they broadcast with x. */
  readonly y: () => TypedValue;
  readonly dy: TypedValue;
}

/** The axes that a reduction node reduces over, counted from the front. */
function reducedAxes(call: GradientCall): number[] {
  const rank = inputOf(call, 0).shape.length;
  const axes = listOf(call, 'axes', 1);
  if (axes && axes.length > 0) return frontAxes(axes, rank);
  return intAttribute(call.node, 'noop_with_empty_axes', 0) === 1 ? [] : range(rank);
}

/** A rule for a reduction; `body` gives dx, possibly smaller than x: it is expanded to x afterwards. */
function reduction(body: (call: GradientCall, reduction: Reduction) => TypedValue): GradientRule {
  return (call) => {
    const { g } = call;
    const x = inputOf(call, 0);
    const axes = reducedAxes(call);
    const kept = { ...x, shape: x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)) };
    // A single number broadcasts with x as it is.
    const rankedGradient = (value: TypedValue) => {
      const source = thin(value);
      return source.shape.length === 0 ? source : thin(reshapeLike(g, value, kept));
    };
    const y = () => reshapeLike(g, outputOf(call), kept);
    const dx = body(call, { x, axes, y, dy: rankedGradient(gradientOf(call)) });
    return [expandLike(g, dx, x)];
  };
}

const sum = reduction((_, { dy }) => dy);

const mean = reduction(({ g }, { x, axes, dy }) => scale(g, dy, 1 / countAlong(x, axes)));

/** Ties: the elements that attain the extremum share the gradient equally. */
const extremum = reduction(({ g }, { x, axes, y, dy }) => {
  const attains = g.cast(g.equal(x, y()), x.type);
  return g.mul(attains, g.div(dy, g.reduceSum(attains, { axes })));
});

/**
 * dx_i = the product of the others. Where x_i is not 0 that is y / x_i; zeros are left out of the product and put in
 * by counting them. (Gradients of gradients are exact where no element is 0.)
 */
const product = reduction(({ g }, { x, axes, dy }) => {
  const zero = g.equal(x, 0);
  const filled = g.where(zero, 1, x);
  const others = g.div(g.op('ReduceProd', [filled, g.ints(axes)], { keepdims: 1 }), filled);
  const zeros = g.cast(zero, x.type);
  const otherZeros = g.sub(g.reduceSum(zeros, { axes }), zeros);
  return g.mul(dy, g.mul(others, g.cast(g.equal(otherZeros, 0), x.type)));
});

const l1 = reduction(({ g }, { x, dy }) => g.mul(g.sign(x), dy));

/** At the zero vector the gradient is 0. */
const l2 = reduction(({ g }, { x, y, dy }) => {
  const norm = y();
  return g.mul(x, g.div(dy, g.where(g.equal(norm, 0), 1, norm)));
});

const sumSquare = reduction(({ g }, { x, dy }) => g.mul(x, scale(g, dy, 2)));

const logSum = reduction(({ g }, { y, dy }) => g.mul(dy, g.exp(g.neg(y()))));

/** The softmax; ORT's own where there is one axis, which is two passes less. */
const logSumExp = reduction(({ g }, { x, axes, y, dy }) =>
  g.mul(dy, axes.length === 1 ? g.softmax(x, axes[0]) : g.exp(g.sub(x, y()))),
);

export const REDUCTION_RULES: Record<string, GradientRule> = {
  ReduceSum: sum,
  ReduceMean: mean,
  ReduceMax: extremum,
  ReduceMin: extremum,
  ReduceProd: product,
  ReduceL1: l1,
  ReduceL2: l2,
  ReduceSumSquare: sumSquare,
  ReduceLogSum: logSum,
  ReduceLogSumExp: logSumExp,
};
