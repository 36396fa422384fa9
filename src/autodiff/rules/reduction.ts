import { intAttribute, type TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { divideBy, expandLike, isStatic, range, reshapeLike, scale, thin, withShape } from '../broadcast.ts';
import {
  frontAxes,
  type GradientCall,
  type GradientRule,
  gradientOf,
  inputOf,
  listOf,
  outputOf,
  UnsupportedGradient,
} from '../rule.ts';
import { countAlong, divideSizes, type Size } from '../sizes.ts';

interface Reduction {
  readonly x: TypedValue;
  /** Output and its gradient, with the reduced axes kept as size 1, so that they broadcast with x. */
  readonly y: () => TypedValue;
  readonly dy: TypedValue;
  /** Reduces another value of x's shape over the same axes, which stay with size 1. */
  readonly over: (opType: string, value: TypedValue) => TypedValue;
  /** The number of elements that make one element of the output. */
  readonly count: () => Size;
  /** The axes, counted from the front; undefined when they are only known when the model runs. */
  readonly axes: readonly number[] | undefined;
}

/** The axes that a reduction node reduces over, counted from the front; undefined when they are not constant. */
function reducedAxes(call: GradientCall): number[] | undefined {
  const rank = inputOf(call, 0).shape.length;
  const given = call.inputs[1];
  if (given && !call.g.constantOf(given)) return undefined;
  const axes = listOf(call, 'axes', 1);
  if (axes && axes.length > 0) return frontAxes(axes, rank);
  return intAttribute(call.node, 'noop_with_empty_axes', 0) === 1 ? [] : range(rank);
}

/** A rule for a reduction; `body` gives dx, possibly smaller than x: it is expanded to x afterwards. */
function reduction(body: (call: GradientCall, reduction: Reduction) => TypedValue): GradientRule {
  return (call) => {
    const axes = reducedAxes(call);
    const known = axes ? overKnownAxes(call, axes) : overComputedAxes(call);
    return [expandLike(call.g, body(call, known), known.x)];
  };
}

function overKnownAxes(call: GradientCall, axes: readonly number[]): Reduction {
  const { g } = call;
  const x = inputOf(call, 0);
  const kept = keptLike(g, x, axes);
  // A single number broadcasts with x as it is.
  const rankedGradient = (value: TypedValue) => {
    const source = thin(value);
    return source.shape.length === 0 ? source : thin(kept(value));
  };
  return {
    x,
    y: () => kept(outputOf(call)),
    dy: rankedGradient(gradientOf(call)),
    over: (opType, value) => g.op(opType, [value, g.ints(axes)], { keepdims: 1 }),
    count: () => countAlong(g, x, axes),
    axes,
  };
}

/** Puts reduced axes back as size 1. */
function keptLike(
  g: GraphBuilder,
  x: TypedValue,
  axes: readonly number[],
): (value: TypedValue) => TypedValue {
  const shape = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  return (value) => {
    if (value.shape.length === shape.length) return value;
    if (isStatic(shape)) return reshapeLike(g, value, { ...x, shape });
    return withShape(g.unsqueeze(value, axes), shape);
  };
}

/** What a broadcast that only shows when the model runs is reduced over: axes that are kept as size 1. */
function overComputedAxes(call: GradientCall): Reduction {
  const { g, node } = call;
  if (intAttribute(node, 'keepdims', 1) !== 1) throw new UnsupportedGradient('its axes are not constant');
  const [x, axes] = [inputOf(call, 0), inputOf(call, 1)];
  const y = outputOf(call);
  const noop = intAttribute(node, 'noop_with_empty_axes', 0);
  return {
    x,
    y: () => y,
    dy: gradientOf(call),
    over: (opType, value) => {
      const options = { keepdims: 1, noop_with_empty_axes: noop };
      return withShape(g.op(opType, [value, axes], options), y.shape);
    },
    count: () => divideSizes(g, countAlong(g, x), countAlong(g, y)),
    axes: undefined,
  };
}

const sum = reduction((_, { dy }) => dy);

const mean = reduction(({ g }, { dy, count }) => divideBy(g, dy, count()));

/** Ties: the elements that attain the extremum share the gradient equally. */
const extremum = reduction(({ g }, { x, y, dy, over }) => {
  const attains = g.cast(g.equal(x, y()), x.type);
  return g.mul(attains, g.div(dy, over('ReduceSum', attains)));
});

/**
 * dx_i = the product of the others. Where x_i is not 0 that is y / x_i; zeros are left out of the product and put in
 * by counting them. (Gradients of gradients are exact where no element is 0.)
 */
const product = reduction(({ g }, { x, dy, over }) => {
  const zero = g.equal(x, 0);
  const filled = g.where(zero, 1, x);
  const others = g.div(over('ReduceProd', filled), filled);
  const zeros = g.cast(zero, x.type);
  const otherZeros = g.sub(over('ReduceSum', zeros), zeros);
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
  g.mul(dy, axes?.length === 1 ? g.softmax(x, axes[0]) : g.exp(g.sub(x, y()))),
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
