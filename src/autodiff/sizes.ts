import type { Dim, TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/**
 * A size that a gradient is formed with: a number where it is known, else an int64 [1] value of the graph. Rules
 * that compute with sizes through these functions emit constants for static shapes and a few operators on short
 * vectors for symbolic ones.
 */
export type Size = number | TypedValue;

/** The size of `value` along `axis` (counted from the front): a number, or what a Shape operator gives. */
export function sizeOf(g: GraphBuilder, value: TypedValue, axis: number): Size {
  const dim = value.shape[axis];
  if (typeof dim === 'number') return dim;
  const [source, at] = sourceOf(g, dim) ?? [value, axis];
  return g.op('Shape', [source], { start: at, end: at + 1 });
}

/** The sizes of `value`, axis by axis. */
export function sizesOf(g: GraphBuilder, value: TypedValue): Size[] {
  return value.shape.map((_, axis) => sizeOf(g, value, axis));
}

/** The number of elements of `value` along `axes`; all of them when `axes` is left out. */
export function countAlong(g: GraphBuilder, value: TypedValue, axes?: readonly number[]): Size {
  return product(
    g,
    (axes ?? value.shape.map((_, axis) => axis)).map((axis) => sizeOf(g, value, axis)),
  );
}

export function product(g: GraphBuilder, sizes: readonly Size[]): Size {
  const known = sizes.reduce((count: number, size) => (typeof size === 'number' ? count * size : count), 1);
  const unknown = sizes.filter((size) => typeof size !== 'number');
  if (unknown.length === 0 || known === 0) return known;
  const first = known === 1 ? unknown.shift()! : g.ints([known]);
  return unknown.reduce((count, size) => g.mul(count, size), first);
}

export const addSizes = (g: GraphBuilder, a: Size, b: Size): Size =>
  typeof a === 'number' && typeof b === 'number' ? a + b : g.add(asSize(g, a), asSize(g, b));

export const subtractSizes = (g: GraphBuilder, a: Size, b: Size): Size =>
  typeof a === 'number' && typeof b === 'number' ? a - b : g.sub(asSize(g, a), asSize(g, b));

/** Rounded down; for sizes, which are not negative. */
export const divideSizes = (g: GraphBuilder, a: Size, b: Size): Size =>
  typeof a === 'number' && typeof b === 'number' ? Math.floor(a / b) : g.div(asSize(g, a), asSize(g, b));

/** The smaller one. */
export const smallerSize = (g: GraphBuilder, a: Size, b: Size): Size =>
  typeof a === 'number' && typeof b === 'number' ? Math.min(a, b) : g.min(asSize(g, a), asSize(g, b));

/** The larger one. */
export const largerSize = (g: GraphBuilder, a: Size, b: Size): Size =>
  typeof a === 'number' && typeof b === 'number' ? Math.max(a, b) : g.max(asSize(g, a), asSize(g, b));

/** Sizes (or starts, ends, pads) as one int64 vector. */
export function shapeVector(g: GraphBuilder, sizes: readonly Size[]): TypedValue {
  if (sizes.every((size) => typeof size === 'number')) return g.ints(sizes);
  // Neighbouring numbers are one constant.
  const parts: TypedValue[] = [];
  let numbers: number[] = [];
  const flush = () => {
    if (numbers.length > 0) parts.push(g.ints(numbers));
    numbers = [];
  };
  for (const size of sizes) {
    if (typeof size === 'number') numbers.push(size);
    else {
      flush();
      parts.push(size);
    }
  }
  flush();
  return parts.length === 1 ? parts[0] : g.concat(parts, 0);
}

/**
 * `value` in another shape of as many elements. A single size that is not known is written as -1, so that nothing
 * has to be computed for it.
 */
export function reshapeTo(g: GraphBuilder, value: TypedValue, sizes: readonly Size[]): TypedValue {
  const unknown = sizes.filter((size) => typeof size !== 'number');
  if (unknown.length > 1 || sizes.includes(0)) {
    return g.op('Reshape', [value, shapeVector(g, sizes)], { allowzero: sizes.includes(0) ? 1 : undefined });
  }
  return g.reshape(
    value,
    sizes.map((size) => (typeof size === 'number' ? size : -1)),
  );
}

/** `value` repeated to a shape that it broadcasts to. */
export function expandTo(g: GraphBuilder, value: TypedValue, sizes: readonly Size[]): TypedValue {
  return g.op('Expand', [value, shapeVector(g, sizes)]);
}

/** A size as a number to compute with, or as a scalar of `type`. */
export function asOperand(g: GraphBuilder, size: Size, type: TypedValue['type']): number | TypedValue {
  return typeof size === 'number' ? size : g.cast(g.reshape(size, []), type);
}

/** Where a size can be read without keeping an inner value alive: an input of the graph. */
function sourceOf(g: GraphBuilder, dim: Dim): [TypedValue, number] | undefined {
  for (const input of g.inputs) {
    const axis = input.shape.indexOf(dim);
    if (axis >= 0) return [input, axis];
  }
  return undefined;
}

/** A size as an int64 [1] value. */
export function asSize(g: GraphBuilder, size: Size): TypedValue {
  return typeof size === 'number' ? g.ints([size]) : size;
}
