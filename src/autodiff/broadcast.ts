import { LimbeckError } from '../errors.ts';
import type { Dim, Shape, TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import { elementCount } from '../onnx/tensor.ts';
import { columnSums } from './column-sums.ts';

/**
 * What was expanded to make a value. The gradient of a sum or a mean is one number (a row, a column) repeated; rules
 * that only multiply or add it take the unexpanded one, and the Expand, unused, costs nothing. Only an optimization:
 * nothing depends on an entry being here.
 */
const unexpanded = new WeakMap<TypedValue, TypedValue>();

/** The value itself, or the smaller one that it repeats. For operands of broadcasting operators. */
export function thin(value: TypedValue): TypedValue {
  return unexpanded.get(value) ?? value;
}

/** `value` repeated to the shape of `like`; `value` itself when it has that shape. */
export function expandLike(g: GraphBuilder, value: TypedValue, like: TypedValue): TypedValue {
  if (sameShape(value.shape, like.shape)) return value;
  const source = thin(value);
  const expanded = isStatic(like.shape)
    ? g.expand(source, like.shape)
    : withShape(g.op('Expand', [source, g.shapeOf(like)]), like);
  unexpanded.set(expanded, source);
  return expanded;
}

/** `apply` on the unexpanded gradient, where there is one, and the result expanded again. */
export function mapThin(
  g: GraphBuilder,
  value: TypedValue,
  apply: (source: TypedValue) => TypedValue,
): TypedValue {
  return expandLike(g, apply(thin(value)), value);
}

/** `value` times a number. */
export function scale(g: GraphBuilder, value: TypedValue, factor: number): TypedValue {
  if (factor === 1) return value;
  return mapThin(g, value, (source) => (factor === -1 ? g.neg(source) : g.mul(source, factor)));
}

/** `value` in the shape of `like`, which has as many elements. */
export function reshapeLike(g: GraphBuilder, value: TypedValue, like: TypedValue): TypedValue {
  if (sameShape(value.shape, like.shape)) return value;
  const source = thin(value);
  if (source !== value && source.shape.every((dim) => dim === 1)) {
    const scalar = source.shape.length > like.shape.length ? g.reshape(source, []) : source;
    return expandLike(g, scalar, like);
  }
  return isStatic(like.shape)
    ? g.reshape(value, like.shape)
    : withShape(g.op('Reshape', [value, g.shapeOf(like)]), like);
}

/**
 * The gradient of a broadcast: sums `gradient` over what was repeated, so that it gets the shape of `target`.
 * @throws LimbeckError `train.symbolic-shape` when a symbolic size hides whether there was a broadcast.
 */
export function reduceTo(g: GraphBuilder, gradient: TypedValue, target: TypedValue): TypedValue {
  if (sameShape(gradient.shape, target.shape)) return gradient;
  const columns = asColumnSums(g, gradient, target);
  if (columns) return columns;
  const lead = gradient.shape.length - target.shape.length;
  const axes: number[] = [];
  gradient.shape.forEach((dim, axis) => {
    const wanted: Dim = axis < lead ? 1 : target.shape[axis - lead];
    if (wanted === dim) {
      if (axis < lead) axes.push(axis);
    } else if (wanted === 1) axes.push(axis);
    else throw symbolicShape(target, `its gradient has shape ${formatShape(gradient.shape)}`);
  });
  const summed = sumKeepingDims(g, gradient, axes);
  return lead === 0 ? summed : reshapeLike(g, summed, target);
}

/** Fewer columns than this are no work for a matrix product. */
const MIN_COLUMNS = 8;

/** The sum of a bias gradient ([..., m] to [m]) as a matrix product, which is the faster one; null for other shapes. */
function asColumnSums(g: GraphBuilder, gradient: TypedValue, target: TypedValue): TypedValue | null {
  const { shape, type } = gradient;
  if (thin(gradient) !== gradient || !isStatic(shape) || (type !== 'float32' && type !== 'float64'))
    return null;
  const kept = target.shape.slice(target.shape.findIndex((dim) => dim !== 1));
  if (target.shape.every((dim) => dim === 1) || kept.length >= shape.length) return null;
  if (!sameShape(shape.slice(-kept.length), kept)) return null;
  const columns = elementCount(shape.slice(-kept.length));
  const rows = elementCount(shape) / columns;
  if (columns < MIN_COLUMNS || rows < 2) return null;
  return reshapeLike(g, columnSums(g, g.reshape(gradient, [rows, columns]), rows), target);
}

/** Sums over `axes`, which stay with size 1; what merely repeats is multiplied, not summed. */
function sumKeepingDims(g: GraphBuilder, value: TypedValue, axes: readonly number[]): TypedValue {
  const source = thin(value);
  const offset = value.shape.length - source.shape.length;
  const longer = axes.filter((axis) => value.shape[axis] !== 1);
  const repeated = longer.filter((axis) => axis < offset || source.shape[axis - offset] === 1);
  if (repeated.length === 0 || repeated.some((axis) => typeof value.shape[axis] !== 'number')) {
    return longer.length > 0 ? g.reduceSum(value, { axes: longer }) : value;
  }
  const summed = longer.filter((axis) => !repeated.includes(axis));
  const ranked = offset > 0 ? g.unsqueeze(source, range(offset)) : source;
  const kept = summed.length > 0 ? g.reduceSum(ranked, { axes: summed }) : ranked;
  // Axes that are not summed and merely repeat stay expanded.
  const shape = value.shape.map((dim, axis) => (longer.includes(axis) ? 1 : dim));
  return expandLike(g, scale(g, kept, countAlong(value, repeated)), { ...value, shape });
}

/** The number of elements along `axes` of a value. @throws LimbeckError `train.symbolic-shape`. */
export function countAlong(value: TypedValue, axes: readonly number[]): number {
  return axes.reduce((count, axis) => {
    const dim = value.shape[axis];
    if (typeof dim !== 'number') throw symbolicShape(value, 'the number of elements has to be known');
    return count * dim;
  }, 1);
}

/** The shape of a value whose sizes have to be numbers. @throws LimbeckError `train.symbolic-shape`. */
export function staticShape(value: TypedValue): readonly number[] {
  if (isStatic(value.shape)) return value.shape;
  throw symbolicShape(value, 'a gradient here needs sizes that are numbers');
}

export function isStatic(shape: Shape): shape is readonly number[] {
  return shape.every((dim) => typeof dim === 'number');
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** 0, 1, ... count - 1. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** The value with what is known of its shape: inference cannot look into the result of a Shape operator. */
function withShape(value: TypedValue, like: TypedValue): TypedValue {
  (value as { shape: Shape }).shape = like.shape;
  return value;
}

function symbolicShape(value: TypedValue, why: string): LimbeckError {
  return new LimbeckError(
    'train.symbolic-shape',
    `the gradient of '${value.name}' cannot be formed for the symbolic shape ${formatShape(value.shape)}: ${why}`,
    { where: `value '${value.name}'`, remedy: 'Bind its symbolic dimensions to numbers first.' },
  );
}
