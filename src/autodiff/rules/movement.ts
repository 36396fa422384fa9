import { intAttribute, intsAttribute, stringAttribute, type TypedValue } from '../../onnx/graph.ts';
import { normalizeAxis } from '../../onnx/shape-inference/rule.ts';
import { countAlong, reduceTo, reshapeLike, staticShape } from '../broadcast.ts';
import {
  frontAxes,
  type GradientCall,
  type GradientRule,
  gradientOf,
  inputOf,
  listOf,
  UnsupportedGradient,
} from '../rule.ts';

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
  const sizes = call.inputs.map((_, i) => countAlong(inputOf(call, i), [axis]));
  const needed = sizes.filter((_, i) => call.needs(i)).length;
  if (needed > 1) {
    const parts = g.node('Split', [dy, g.ints(sizes)], { axis }, { outputs: sizes.length });
    return parts.map((part, i) => (call.needs(i) ? part : null));
  }
  let start = 0;
  return sizes.map((size, i) => {
    start += size;
    return call.needs(i) ? g.slice(dy, axis, start - size, start) : null;
  });
};

const split: GradientRule = (call) => {
  const { g, node } = call;
  const axis = normalizeAxis(intAttribute(node, 'axis', 0), inputOf(call, 0).shape.length);
  const parts = call.outputGradients.map((gradient, i) => {
    if (gradient) return gradient;
    const output = call.outputs[i];
    if (!output) throw new UnsupportedGradient('one of its outputs is left out');
    return zerosLike(call, output);
  });
  return [g.concat(parts, axis)];
};

export function zerosLike({ g }: Pick<GradientCall, 'g'>, x: TypedValue): TypedValue {
  return g.expand(g.scalar(0, x.type), staticShape(x));
}

/** Zeros around the part that was taken, and between its elements where it was taken in steps. */
const slice: GradientRule = (call) => {
  const { g } = call;
  const x = inputOf(call, 0);
  const starts = listOf(call, 'starts', 1) ?? [];
  const axes = frontAxes(listOf(call, 'axes', 3) ?? starts.map((_, i) => i), x.shape.length);
  const steps = listOf(call, 'steps', 4) ?? starts.map(() => 1);
  let dx = gradientOf(call);
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  axes.forEach((axis, i) => {
    const size = countAlong(x, [axis]);
    const taken = countAlong(dx, [axis]);
    const step = steps[i];
    const from = starts[i] < 0 ? starts[i] + size : starts[i];
    const first = step > 0 ? Math.min(Math.max(from, 0), size) : Math.min(Math.max(from, 0), size - 1);
    if (step < 0 && taken > 1) dx = g.slice(dx, axis, -1, -(taken + 1), -1);
    if (Math.abs(step) > 1 && taken > 1) dx = dilate(call, dx, axis, Math.abs(step));
    const low = step < 0 ? first + (taken - 1) * step : first;
    before[axis] = low;
    after[axis] = size - low - countAlong(dx, [axis]);
  });
  return [padBy(call, dx, before, after)];
};

/** Puts step - 1 zeros between the elements of one axis. */
function dilate({ g }: GradientCall, x: TypedValue, axis: number, step: number): TypedValue {
  const shape = staticShape(x);
  const spread = g.pad(g.unsqueeze(x, [axis + 1]), axis + 1, 0, step - 1);
  const flat = g.reshape(
    spread,
    shape.map((size, i) => (i === axis ? size * step : size)),
  );
  return g.slice(flat, axis, 0, (shape[axis] - 1) * step + 1);
}

/** Adds zeros at the ends of every axis; negative amounts take elements away. */
export function padBy(
  { g }: Pick<GradientCall, 'g'>,
  x: TypedValue,
  before: readonly number[],
  after: readonly number[],
): TypedValue {
  const axes = before.flatMap((_, axis) => (before[axis] !== 0 || after[axis] !== 0 ? [axis] : []));
  if (axes.length === 0) return x;
  const pads = [...axes.map((axis) => before[axis]), ...axes.map((axis) => after[axis])];
  return g.op('Pad', [x, g.ints(pads), null, g.ints(axes)]);
}

/** What lay inside goes back; the constant gets what it was repeated for. */
const pad: GradientRule = (call) => {
  const { g, node } = call;
  const mode = stringAttribute(node, 'mode', 'constant');
  if (mode !== 'constant') throw new UnsupportedGradient(`mode ${mode}`);
  const x = inputOf(call, 0);
  const pads = listOf(call, 'pads', 1) ?? [];
  const axes = frontAxes(listOf(call, 'axes', 3) ?? x.shape.map((_, i) => i), x.shape.length);
  const before = x.shape.map(() => 0);
  const after = x.shape.map(() => 0);
  axes.forEach((axis, i) => {
    before[axis] = -pads[i];
    after[axis] = -pads[i + axes.length];
  });
  const dy = gradientOf(call);
  const dx = padBy(call, dy, before, after);
  const fill = call.inputs[2];
  if (!fill || !call.needs(2)) return [dx];
  if (pads.some((amount) => amount < 0))
    throw new UnsupportedGradient('negative pads with a trained constant');
  const total = (value: TypedValue) => g.reduceSum(value, { keepDims: false });
  return [call.needs(0) ? dx : null, null, reshapeLike(g, g.sub(total(dy), total(dx)), fill)];
};

const expand: GradientRule = (call) => [reduceTo(call.g, gradientOf(call), inputOf(call, 0))];

/** Repetition r of element d along an axis lies at r * size + d: sum over r. */
const tile: GradientRule = (call) => {
  const { g } = call;
  const x = inputOf(call, 0);
  const repeats = listOf(call, 'repeats', 1) ?? [];
  const shape = staticShape(x);
  const split = shape.flatMap((size, axis) => (repeats[axis] === 1 ? [size] : [repeats[axis], size]));
  const axes: number[] = [];
  let at = 0;
  for (const count of repeats) {
    if (count !== 1) axes.push(at++);
    at++;
  }
  const dy = gradientOf(call);
  return [axes.length === 0 ? dy : g.reduceSum(g.reshape(dy, split), { axes, keepDims: false })];
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
