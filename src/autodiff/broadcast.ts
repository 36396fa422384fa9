import { LimbeckError } from '../errors.ts';
import type { Dim, Shape, TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import { meetAsEqual } from '../onnx/shape-inference/size-expression.ts';
import { elementCount } from '../onnx/tensor.ts';
import { columnSums } from './column-sums.ts';
import { UnsupportedGradient } from './rule.ts';
import {
  asOperand,
  countAlong,
  expandTo,
  reshapeTo,
  type Size,
  shapeVector,
  sizeOf,
  sizesOf,
} from './sizes.ts';

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
    : withShape(g.op('Expand', [source, shapeVector(g, sizesOf(g, like))]), like.shape);
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

/** `value` times a number, or times a scalar of the graph. */
export function scale(g: GraphBuilder, value: TypedValue, factor: number | TypedValue): TypedValue {
  if (factor === 1) return value;
  return mapThin(g, value, (source) => (factor === -1 ? g.neg(source) : g.mul(source, factor)));
}

/** `value` times `factor`, divided by a number of elements. */
export function divideBy(g: GraphBuilder, value: TypedValue, count: Size, factor = 1): TypedValue {
  if (typeof count === 'number') return scale(g, value, factor / count);
  const divided = mapThin(g, value, (source) => g.div(source, asOperand(g, count, value.type)));
  return scale(g, divided, factor);
}

/** `value` in the shape of `like`, which has as many elements. */
export function reshapeLike(g: GraphBuilder, value: TypedValue, like: TypedValue): TypedValue {
  if (sameShape(value.shape, like.shape)) return value;
  const source = thin(value);
  if (source !== value && source.shape.every((dim) => dim === 1)) {
    const scalar = source.shape.length > like.shape.length ? g.reshape(source, []) : source;
    return expandLike(g, scalar, like);
  }
  return isStatic(like.shape) && !like.shape.includes(0)
    ? g.reshape(value, like.shape)
    : withShape(reshapeTo(g, value, sizesOf(g, like)), like.shape);
}

/**
 * The gradient of a broadcast: sums `gradient` over what was repeated, so that it gets the shape of `target`. Where a
 * symbolic size hides whether there was a broadcast, the model looks when it runs.
 */
export function reduceTo(g: GraphBuilder, gradient: TypedValue, target: TypedValue): TypedValue {
  if (sameShape(gradient.shape, target.shape)) return gradient;
  const columns = asColumnSums(g, gradient, target);
  if (columns) return columns;
  const lead = gradient.shape.length - target.shape.length;
  const axes: number[] = [];
  let hidden = false;
  gradient.shape.forEach((dim, axis) => {
    if (axis < lead) axes.push(axis);
    else {
      const wanted = target.shape[axis - lead];
      if (wanted === 1 && dim !== 1) axes.push(axis);
      // A number that is not 1 was not repeated: the gradient has it too, whatever its name for it.
      else if (typeof wanted === 'string' && !meetAsEqual(wanted, dim)) hidden = true;
    }
  });
  if (hidden) return reduceAtRuntime(g, gradient, target);
  const summed = sumKeepingDims(g, gradient, axes);
  if (lead > 0) return reshapeLike(g, summed, target);
  return summed === gradient ? gradient : withShape(summed, target.shape);
}

/** Sums over the axes along which the two shapes turn out to differ. */
function reduceAtRuntime(g: GraphBuilder, gradient: TypedValue, target: TypedValue): TypedValue {
  const lead = gradient.shape.length - target.shape.length;
  const wanted = [...new Array<Size>(lead).fill(1), ...sizesOf(g, target)];
  const repeated = g.not(g.equal(shapeVector(g, wanted), shapeVector(g, sizesOf(g, gradient))));
  const axes = g.reshape(g.op('NonZero', [repeated]), [-1]);
  const summed = g.op('ReduceSum', [gradient, axes], { keepdims: 1, noop_with_empty_axes: 1 });
  const ones = new Array<Dim>(lead).fill(1);
  const known = withShape(summed, [...ones, ...target.shape]);
  return lead === 0 ? known : reshapeLike(g, known, target);
}

/** Fewer columns than this are no work for a matrix product. */
const MIN_COLUMNS = 8;

/** The sum of a bias gradient ([..., m] to [m]) as a matrix product, which is the faster one; null for other shapes. */
function asColumnSums(g: GraphBuilder, gradient: TypedValue, target: TypedValue): TypedValue | null {
  const { shape, type } = gradient;
  if (thin(gradient) !== gradient || (type !== 'float32' && type !== 'float64')) return null;
  const kept = target.shape.slice(target.shape.findIndex((dim) => dim !== 1));
  if (target.shape.every((dim) => dim === 1) || kept.length >= shape.length) return null;
  if (!isStatic(kept) || !sameShape(shape.slice(-kept.length), kept)) return null;
  const columns = elementCount(kept);
  if (columns < MIN_COLUMNS) return null;
  const rows = countAlong(g, gradient, range(shape.length - kept.length));
  if (typeof rows === 'number' && rows < 2) return null;
  return reshapeLike(g, columnSums(g, reshapeTo(g, gradient, [rows, columns]), rows), target);
}

/** Sums over `axes`, which stay with size 1; what merely repeats is multiplied, not summed. */
function sumKeepingDims(g: GraphBuilder, value: TypedValue, axes: readonly number[]): TypedValue {
  const source = thin(value);
  const offset = value.shape.length - source.shape.length;
  const longer = axes.filter((axis) => value.shape[axis] !== 1);
  const repeated = longer.filter((axis) => axis < offset || source.shape[axis - offset] === 1);
  if (repeated.length === 0) return longer.length > 0 ? g.reduceSum(value, { axes: longer }) : value;
  const summed = longer.filter((axis) => !repeated.includes(axis));
  const ranked = offset > 0 ? g.unsqueeze(source, range(offset)) : source;
  const kept = summed.length > 0 ? g.reduceSum(ranked, { axes: summed }) : ranked;
  const count = asOperand(g, countAlong(g, value, repeated), value.type);
  // Axes that are not summed and merely repeat stay expanded.
  if (value.shape.every((dim, axis) => longer.includes(axis) || dim === kept.shape[axis]))
    return scale(g, kept, count);
  const sizes = value.shape.map((_, axis) => (longer.includes(axis) ? 1 : sizeOf(g, value, axis)));
  const shape = value.shape.map((dim, axis) => (longer.includes(axis) ? 1 : dim));
  const scaled = scale(g, kept, count);
  const expanded = withShape(expandTo(g, scaled, sizes), shape);
  unexpanded.set(expanded, scaled);
  return expanded;
}

/** The shape of a value whose sizes have to be numbers. @throws LimbeckError `train.symbolic-shape`. */
export function staticShape(value: TypedValue): readonly number[] {
  if (isStatic(value.shape)) return value.shape;
  throw new LimbeckError(
    'train.symbolic-shape',
    `the gradient of '${value.name}' cannot be formed for the symbolic shape ${formatShape(value.shape)}`,
    { where: `value '${value.name}'`, remedy: 'Bind its symbolic dimensions to numbers first.' },
  );
}

export function isStatic(shape: Shape): shape is readonly number[] {
  return shape.every((dim) => typeof dim === 'number');
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** More than any kernel, axis or batch has that is listed here: a file of a few bytes could name any number. */
const MAX_LISTED = 2 ** 22;

/** 0, 1, ... count - 1. */
export function range(count: number): number[] {
  if (count > MAX_LISTED) throw new UnsupportedGradient(`${count} places are too many to list one by one`);
  return Array.from({ length: count }, (_, i) => i);
}

/**
 * The value with what is known of its shape, for values that were just emitted: a gradient has the shape of what it
 * is the gradient of, also where inference cannot tell.
 */
export function withShape(value: TypedValue, shape: Shape): TypedValue {
  if (!sameShape(value.shape, shape)) (value as { shape: Shape }).shape = shape;
  return value;
}
