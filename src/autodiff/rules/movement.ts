import { intAttribute, intsAttribute, stringAttribute, type TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { normalizeAxis } from '../../onnx/shape-inference/rule.ts';
import { expandLike, range, reduceTo, reshapeLike, withShape } from '../broadcast.ts';
import {
  frontAxes,
  type GradientCall,
  type GradientRule,
  gradientOf,
  inputOf,
  listOf,
  UnsupportedGradient,
} from '../rule.ts';
import {
  addSizes,
  asSize,
  largerSize,
  product,
  reshapeTo,
  type Size,
  shapeVector,
  sizeOf,
  sizesOf,
  smallerSize,
  subtractSizes,
} from '../sizes.ts';
import { byFormula } from './by-formula.ts';
import { paddedByElements } from './pad-modes.ts';

/** Reshape, Flatten, Squeeze, Unsqueeze: the elements keep their order. */
const reshape: GradientRule = (call) => [reshapeLike(call.g, gradientOf(call), inputOf(call, 0))];

const transpose: GradientRule = (call) => {
  const rank = inputOf(call, 0).shape.length;
  const perm = intsAttribute(call.node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  return [call.g.transpose(gradientOf(call), inverse)];
};

/** The pieces that the inputs were: one Split when several are needed, a Slice for one. */
const concat: GradientRule = (call) => {
  const { g, node } = call;
  const dy = gradientOf(call);
  const axis = normalizeAxis(intAttribute(node, 'axis', 0), dy.shape.length);
  const sizes = call.inputs.map((_, i) => sizeOf(g, inputOf(call, i), axis));
  const needed = sizes.filter((_, i) => call.needs(i)).length;
  if (needed > 1) {
    const parts = g.node('Split', [dy, shapeVector(g, sizes)], { axis }, { outputs: sizes.length });
    return parts.map((part, i) => (call.needs(i) ? part : null));
  }
  let start: Size = 0;
  return sizes.map((size, i) => {
    const from = start;
    start = addSizes(g, start, size);
    return call.needs(i) ? sliceBy(g, dy, axis, from, start) : null;
  });
};

const split: GradientRule = (call) => {
  const { g, node } = call;
  const axis = normalizeAxis(intAttribute(node, 'axis', 0), inputOf(call, 0).shape.length);
  const parts = call.outputGradients.map((gradient, i) => {
    if (gradient) return gradient;
    const output = call.outputs[i];
    if (!output) throw new UnsupportedGradient('one of its outputs is left out');
    // Of a quantised value the gradient is a float.
    const type = call.outputGradients.find((other) => other)?.type ?? output.type;
    return zerosLike(call, { ...output, type });
  });
  return [g.concat(parts, axis)];
};

export function zerosLike({ g }: Pick<GradientCall, 'g'>, x: TypedValue): TypedValue {
  return expandLike(g, g.scalar(0, x.type), x);
}

/** Elements [start, end) along one axis, in steps of 1 or -1. */
function sliceBy(g: GraphBuilder, x: TypedValue, axis: number, start: Size, end: Size, step = 1): TypedValue {
  if (typeof start === 'number' && typeof end === 'number') return g.slice(x, axis, start, end, step);
  const bounds = [shapeVector(g, [start]), shapeVector(g, [end])];
  return g.op('Slice', [x, ...bounds, g.ints([axis]), g.ints([step])]);
}

/** Element `index` of a list that an operator takes: a number where it is constant. */
function elementOf(
  call: GradientCall,
  name: string,
  input: number,
): { count: number; at: (index: number) => Size } | undefined {
  const { g } = call;
  const value = call.inputs[input];
  if (!value || g.constantOf(value) || call.node.attributes.has(name)) {
    const list = listOf(call, name, input);
    return list && { count: list.length, at: (index) => list[index] };
  }
  const [count] = value.shape;
  if (typeof count !== 'number') throw new UnsupportedGradient(`the number of its ${name} is not known`);
  const wide = g.cast(value, 'int64');
  return { count, at: (index) => g.slice(wide, 0, index, index + 1) };
}

/** Zeros around the part that was taken, and between its elements where it was taken in steps. */
const slice: GradientRule = (call) => {
  const { g } = call;
  const x = inputOf(call, 0);
  const starts = elementOf(call, 'starts', 1);
  if (!starts) throw new UnsupportedGradient('it has no starts');
  const axes = frontAxes(listOf(call, 'axes', 3) ?? range(starts.count), x.shape.length);
  const steps = listOf(call, 'steps', 4) ?? axes.map(() => 1);
  let dx = gradientOf(call);
  const before: Size[] = x.shape.map(() => 0);
  const after: Size[] = x.shape.map(() => 0);
  axes.forEach((axis, i) => {
    const size = sizeOf(g, x, axis);
    const taken = sizeOf(g, dx, axis);
    const step = steps[i];
    const start = starts.at(i);
    const first = clampSize(g, fromFront(g, start, size), step > 0 ? size : subtractSizes(g, size, 1));
    if (step < 0 && taken !== 0 && taken !== 1) {
      const end = typeof taken === 'number' ? -(taken + 1) : Number.MIN_SAFE_INTEGER;
      dx = withShape(g.slice(dx, axis, -1, end, -1), dx.shape);
    }
    if (Math.abs(step) > 1 && taken !== 0 && taken !== 1) dx = dilate(call, dx, axis, Math.abs(step));
    const spread = sizeOf(g, dx, axis);
    const last = subtractSizes(g, spread, 1);
    // Counted backwards the part ends where it began; of a part without elements the place does not matter.
    const low = step < 0 ? clampSize(g, subtractSizes(g, first, last), size) : first;
    before[axis] = low;
    after[axis] = subtractSizes(g, subtractSizes(g, size, low), spread);
  });
  return [padBy(call, dx, before, after)];
};

/** A position that may be counted from the back, counted from the front. */
export function fromFront(g: GraphBuilder, position: Size, size: Size): Size {
  if (typeof position === 'number') return position < 0 ? addSizes(g, size, position) : position;
  return g.where(g.less(position, 0), asSize(g, addSizes(g, position, size)), position);
}

function clampSize(g: GraphBuilder, value: Size, high: Size): Size {
  return smallerSize(g, largerSize(g, value, 0), high);
}

/** Puts step - 1 zeros between the elements of one axis. */
function dilate({ g }: GradientCall, x: TypedValue, axis: number, step: number): TypedValue {
  const spread = g.pad(g.unsqueeze(x, [axis + 1]), axis + 1, 0, step - 1);
  const sizes = sizesOf(g, x).map((size, i) => (i === axis ? product(g, [size, step]) : size));
  const flat = reshapeTo(g, spread, sizes);
  const size = sizeOf(g, x, axis);
  const end = addSizes(g, product(g, [subtractSizes(g, size, 1), step]), 1);
  return sliceBy(g, flat, axis, 0, end);
}

/** Adds zeros at the ends of every axis; negative amounts take elements away. */
export function padBy(
  { g }: Pick<GradientCall, 'g'>,
  x: TypedValue,
  before: readonly Size[],
  after: readonly Size[],
): TypedValue {
  const pads = [...before, ...after];
  return pads.every((amount) => amount === 0) ? x : g.op('Pad', [x, shapeVector(g, pads)]);
}

/** The other modes repeat elements. */
const padByElements = byFormula(paddedByElements, [0]);

/** What lay inside goes back; the constant gets what it was repeated for. */
const pad: GradientRule = (call) => {
  const { g, node } = call;
  const mode = stringAttribute(node, 'mode', 'constant');
  if (mode !== 'constant') return padByElements(call);
  const x = inputOf(call, 0);
  const pads = elementOf(call, 'pads', 1);
  if (!pads) throw new UnsupportedGradient('it has no pads');
  const axes = frontAxes(listOf(call, 'axes', 3) ?? range(x.shape.length), x.shape.length);
  const before: Size[] = x.shape.map(() => 0);
  const after: Size[] = x.shape.map(() => 0);
  axes.forEach((axis, i) => {
    before[axis] = subtractSizes(g, 0, pads.at(i));
    after[axis] = subtractSizes(g, 0, pads.at(i + axes.length));
  });
  const dy = gradientOf(call);
  const dx = padBy(call, dy, before, after);
  const fill = call.inputs[2];
  if (!fill || !call.needs(2)) return [dx];
  // The amounts here are those of dx: a positive one puts back what the operator cut off.
  if ([...before, ...after].some((amount) => typeof amount !== 'number' || amount > 0))
    throw new UnsupportedGradient('negative or computed pads with a trained constant');
  const total = (value: TypedValue) => g.reduceSum(value, { keepDims: false });
  return [call.needs(0) ? dx : null, null, reshapeLike(g, g.sub(total(dy), total(dx)), fill)];
};

const expand: GradientRule = (call) => [reduceTo(call.g, gradientOf(call), inputOf(call, 0))];

/** Repetition r of element d along an axis lies at r * size + d: sum over r. */
const tile: GradientRule = (call) => {
  const { g } = call;
  const x = inputOf(call, 0);
  const repeats = elementOf(call, 'repeats', 1);
  if (!repeats) throw new UnsupportedGradient('it has no repeats');
  const split: Size[] = [];
  const axes: number[] = [];
  for (const [axis, size] of sizesOf(g, x).entries()) {
    const count = repeats.at(axis);
    if (count !== 1) {
      axes.push(split.length);
      split.push(count);
    }
    split.push(size);
  }
  const dy = gradientOf(call);
  return [axes.length === 0 ? dy : g.reduceSum(reshapeTo(g, dy, split), { axes, keepDims: false })];
};

const trilu: GradientRule = (call) => [
  call.g.op('Trilu', [gradientOf(call), call.inputs[1] ?? null], {
    upper: intAttribute(call.node, 'upper', 1),
  }),
];

const cumSum: GradientRule = (call) => [
  call.g.op('CumSum', [gradientOf(call), inputOf(call, 1)], {
    exclusive: intAttribute(call.node, 'exclusive', 0),
    reverse: intAttribute(call.node, 'reverse', 0) === 1 ? 0 : 1,
  }),
];

export const MOVEMENT_RULES: Record<string, GradientRule> = {
  Transpose: transpose,
  Reshape: reshape,
  Flatten: reshape,
  Squeeze: reshape,
  Unsqueeze: reshape,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Expand: expand,
  Tile: tile,
  Trilu: trilu,
  CumSum: cumSum,
};
