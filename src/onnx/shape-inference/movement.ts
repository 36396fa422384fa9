import { type Dim, intAttribute, intsAttribute, type Shape } from '../graph.ts';
import {
  axisOf,
  broadcastShapes,
  constantInts,
  formatShape,
  type InferenceRule,
  inputAt,
  intsFrom,
  normalizeAxis,
  requireEqualDims,
  ShapeError,
} from './rule.ts';

const transpose: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const perm = intsAttribute(context, 'perm') ?? shape.map((_, i) => shape.length - 1 - i);
  if (perm.length !== shape.length) throw new ShapeError(`perm [${perm}] does not fit ${formatShape(shape)}`);
  return [{ type, shape: perm.map((axis) => shape[axis]) }];
};

/** The product of all known sizes and the sorted names of the others. */
function factors(shape: Shape): { known: number; symbols: string[] } {
  let known = 1;
  const symbols: string[] = [];
  for (const dim of shape) {
    if (typeof dim === 'number') known *= dim;
    else symbols.push(dim);
  }
  return { known, symbols: symbols.sort() };
}

/** What a -1 in a target shape stands for, when it can be told. */
function inferredDim(input: Shape, others: Shape): Dim | undefined {
  const all = factors(input);
  const rest = factors(others);
  const symbols = [...all.symbols];
  for (const symbol of rest.symbols) {
    const at = symbols.indexOf(symbol);
    if (at < 0) return undefined;
    symbols.splice(at, 1);
  }
  if (rest.known === 0 || all.known % rest.known !== 0) {
    throw new ShapeError(`${formatShape(input)} cannot be reshaped to -1 and ${formatShape(others)}`);
  }
  const known = all.known / rest.known;
  if (symbols.length === 0) return known;
  return symbols.length === 1 && known === 1 ? symbols[0] : undefined;
}

const reshape: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const target = constantInts(context, 1);
  if (!target) {
    const rank = inputAt(context, 1).shape[0];
    if (typeof rank !== 'number') throw new ShapeError('Reshape to a shape of unknown rank');
    return [{ type, shape: Array.from({ length: rank }, () => context.freshDim()) }];
  }
  const allowZero = intAttribute(context, 'allowzero', 0) === 1;
  const dims: Dim[] = target.map((size, i) => (size === 0 && !allowZero ? shape[i] : size));
  const unknown = dims.indexOf(-1);
  if (unknown >= 0) {
    const others = dims.filter((_, i) => i !== unknown);
    dims[unknown] = inferredDim(shape, others) ?? context.freshDim();
  } else {
    const [from, to] = [factors(shape), factors(dims)];
    if (from.symbols.length === 0 && to.symbols.length === 0 && from.known !== to.known) {
      throw new ShapeError(`${formatShape(shape)} cannot be reshaped to ${formatShape(dims)}`);
    }
  }
  return [{ type, shape: dims }];
};

const squeeze: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const axes = intsFrom(context, 'axes', 1)?.map((axis) => normalizeAxis(axis, shape.length));
  return [{ type, shape: shape.filter((dim, i) => (axes ? !axes.includes(i) : dim !== 1)) }];
};

const unsqueeze: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const given = intsFrom(context, 'axes', 1);
  if (!given) throw new ShapeError('Unsqueeze needs constant axes');
  const rank = shape.length + given.length;
  const axes = given.map((axis) => normalizeAxis(axis, rank));
  const result: Dim[] = [];
  let next = 0;
  for (let i = 0; i < rank; i++) result.push(axes.includes(i) ? 1 : shape[next++]);
  return [{ type, shape: result }];
};

const flatten: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const at = intAttribute(context, 'axis', 1);
  const axis = at < 0 ? at + shape.length : at;
  const side = (dims: Shape) => inferredDim(dims, []) ?? context.freshDim();
  return [{ type, shape: [side(shape.slice(0, axis)), side(shape.slice(axis))] }];
};

const concat: InferenceRule = (context) => {
  const inputs = context.inputs.map((_, i) => inputAt(context, i));
  const first = inputs[0];
  const axis = axisOf(context, 0, first.shape.length);
  const shape: Dim[] = [...first.shape];
  for (const input of inputs.slice(1)) {
    if (input.shape.length !== shape.length || input.type !== first.type) {
      throw new ShapeError(
        `Concat of ${first.type}${formatShape(first.shape)} and ${input.type}${formatShape(input.shape)}`,
      );
    }
    for (let i = 0; i < shape.length; i++) {
      if (i !== axis) {
        requireEqualDims(shape[i], input.shape[i], `Concat along ${axis}, dimension ${i}`);
        if (typeof shape[i] === 'string') shape[i] = input.shape[i];
      }
    }
  }
  const sizes = inputs.map((input) => input.shape[axis]);
  shape[axis] = sizes.every((size) => typeof size === 'number')
    ? (sizes as number[]).reduce((sum, size) => sum + size, 0)
    : inputs.length === 1
      ? sizes[0]
      : context.freshDim();
  return [{ type: first.type, shape }];
};

const split: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const axis = axisOf(context, 0, shape.length);
  const dim = shape[axis];
  const count = intAttribute(context, 'num_outputs', context.outputCount);
  let sizes: Dim[] | undefined = intsFrom(context, 'split', 1);
  if (!sizes && typeof dim === 'number') {
    const chunk = Math.ceil(dim / count);
    sizes = Array.from({ length: count }, (_, i) => Math.max(0, Math.min(chunk, dim - i * chunk)));
  }
  sizes ??= Array.from({ length: count }, () => context.freshDim());
  return sizes.map((size) => ({ type, shape: shape.map((d, i) => (i === axis ? size : d)) }));
};

function slicedSize(dim: number, start: number, end: number, step: number): number {
  const clamp = (index: number, low: number, high: number) =>
    Math.min(Math.max(index < 0 ? index + dim : index, low), high);
  const from = step > 0 ? clamp(start, 0, dim) : clamp(start, 0, dim - 1);
  const to = step > 0 ? clamp(end, 0, dim) : end < -dim ? -1 : clamp(end, -1, dim - 1);
  return Math.max(0, Math.ceil((to - from) / step));
}

const slice: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const starts = intsFrom(context, 'starts', 1);
  const ends = intsFrom(context, 'ends', 2);
  const axes = intsFrom(context, 'axes', 3) ?? starts?.map((_, i) => i);
  const steps = constantInts(context, 4) ?? starts?.map(() => 1);
  const result: Dim[] = [...shape];
  if (!starts || !ends || !axes || !steps) {
    const known = axes?.map((axis) => normalizeAxis(axis, shape.length));
    return [{ type, shape: shape.map((dim, i) => (known && !known.includes(i) ? dim : context.freshDim())) }];
  }
  axes.forEach((given, i) => {
    const axis = normalizeAxis(given, shape.length);
    const dim = shape[axis];
    const untouched = starts[i] === 0 && steps[i] === 1 && ends[i] >= 2 ** 31 - 1;
    if (untouched) return;
    const fromFront = starts[i] >= 0 && ends[i] > starts[i] && ends[i] < 2 ** 31 - 1 && steps[i] === 1;
    if (typeof dim === 'number') result[axis] = slicedSize(dim, starts[i], ends[i], steps[i]);
    // A symbolic size is not known to be at least `end`; [0:1] of a batch is the one case that exporters rely on.
    else if (fromFront && starts[i] === 0 && ends[i] === 1) result[axis] = 1;
    else result[axis] = context.freshDim();
  });
  return [{ type, shape: result }];
};

const expand: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const target = constantInts(context, 1);
  if (target) return [{ type, shape: broadcastShapes(shape, target) }];
  const rank = inputAt(context, 1).shape[0];
  const size = Math.max(typeof rank === 'number' ? rank : 0, shape.length);
  return [{ type, shape: Array.from({ length: size }, () => context.freshDim()) }];
};

const tile: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const repeats = constantInts(context, 1);
  return [
    {
      type,
      shape: shape.map((dim, i) => {
        if (repeats?.[i] === 1) return dim;
        return repeats && typeof dim === 'number' ? dim * repeats[i] : context.freshDim();
      }),
    },
  ];
};

const pad: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const pads = intsFrom(context, 'pads', 1);
  const axes =
    constantInts(context, 3)?.map((axis) => normalizeAxis(axis, shape.length)) ?? shape.map((_, i) => i);
  const result: Dim[] = [...shape];
  axes.forEach((axis, i) => {
    const amount = pads ? pads[i] + pads[i + axes.length] : undefined;
    const dim = shape[axis];
    if (amount === 0) return;
    result[axis] = amount !== undefined && typeof dim === 'number' ? dim + amount : context.freshDim();
  });
  return [{ type, shape: result }];
};

export const MOVEMENT_RULES: Record<string, InferenceRule> = {
  Transpose: transpose,
  Reshape: reshape,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Flatten: flatten,
  Concat: concat,
  Split: split,
  Slice: slice,
  Expand: expand,
  Tile: tile,
  Pad: pad,
};
