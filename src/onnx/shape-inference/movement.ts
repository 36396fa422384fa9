import { type Dim, intAttribute, intsAttribute, type Shape } from '../graph.ts';
import {
  axisOf,
  broadcastShapes,
  constantInts,
  formatShape,
  type InferenceContext,
  type InferenceRule,
  inputAt,
  intsFrom,
  normalizeAxis,
  rankListed,
  requireEqualDims,
  ShapeError,
} from './rule.ts';
import {
  addDims,
  divideDims,
  equalDims,
  multiplyDims,
  productOfDims,
  quotientOfDims,
  sliceName,
  subtractDims,
} from './size-expression.ts';

const transpose: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const perm = intsAttribute(context, 'perm') ?? shape.map((_, i) => shape.length - 1 - i);
  if (perm.length !== shape.length) throw new ShapeError(`perm [${perm}] does not fit ${formatShape(shape)}`);
  return [{ type, shape: perm.map((axis) => shape[axis]) }];
};

/** What a -1 in a target shape stands for, when it can be told. */
function inferredDim(input: Shape, others: Shape): Dim | undefined {
  const all = productOfDims(input);
  const rest = productOfDims(others);
  if (rest === 0 || (typeof all === 'number' && typeof rest === 'number' && all % rest !== 0))
    throw new ShapeError(`${formatShape(input)} cannot be reshaped to -1 and ${formatShape(others)}`);
  return quotientOfDims(input, others);
}

const reshape: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const target = context.sizes(1) ?? sizesOfUnknown(context, 1);
  const allowZero = intAttribute(context, 'allowzero', 0) === 1;
  const dims = target.map((size, i): Dim | null => {
    if (size !== 0 || allowZero) return size;
    if (i >= shape.length) throw new ShapeError(`a 0 at place ${i} of a shape for ${formatShape(shape)}`);
    return shape[i];
  });
  // What is not known is what remains, as a -1 is, if it is all that is not known.
  const open = dims.flatMap((dim, i) => (dim === null || dim === -1 ? [i] : []));
  if (dims.filter((dim) => dim === -1).length > 1) throw new ShapeError(`two sizes of [${dims}] are -1`);
  if (open.length === 1 && (dims[open[0]] === -1 || !dims.includes(0))) {
    const others = dims.filter((_, i) => i !== open[0]) as Dim[];
    dims[open[0]] = inferredDim(shape, others) ?? null;
  }
  const result = dims.map((dim) => (dim === null || dim === -1 ? context.freshDim() : dim));
  if (open.length === 0 && equalDims(productOfDims(shape), productOfDims(result)) === false)
    throw new ShapeError(`${formatShape(shape)} cannot be reshaped to ${formatShape(result)}`);
  return [{ type, shape: result }];
};

/** A list whose length alone is known. */
function sizesOfUnknown(context: InferenceContext, index: number): null[] {
  return new Array(rankListed(context, index)).fill(null);
}

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
  if (axis < 0 || axis > shape.length)
    throw new ShapeError(`axis ${at} is outside a shape of rank ${shape.length}`);
  return [{ type, shape: [productOfDims(shape.slice(0, axis)), productOfDims(shape.slice(axis))] }];
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
  shape[axis] = inputs.map((input) => input.shape[axis]).reduce(addDims);
  return [{ type: first.type, shape }];
};

const split: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const axis = axisOf(context, 0, shape.length);
  const dim = shape[axis];
  const count = context.outputCount;
  const named = intAttribute(context, 'num_outputs', count);
  if (named !== count) throw new ShapeError(`num_outputs is ${named}, but it has ${count} outputs`);
  let sizes: readonly (Dim | null)[] | undefined = intsFrom(context, 'split', 1) ?? context.sizes(1);
  if (!sizes && !context.inputs[1]) {
    if (typeof dim === 'number') {
      const chunk = Math.ceil(dim / count);
      sizes = Array.from({ length: count }, (_, i) => Math.max(0, Math.min(chunk, dim - i * chunk)));
    } else {
      const part = divideDims(dim, count) ?? null;
      sizes = Array.from({ length: count }, () => part);
    }
  }
  sizes ??= Array.from({ length: count }, () => null);
  if (sizes.length < count) throw new ShapeError(`${sizes.length} sizes for ${count} outputs`);
  return sizes.map((size) => {
    const known = size ?? context.freshDim();
    return { type, shape: shape.map((d, i) => (i === axis ? known : d)) };
  });
};

function slicedSize(dim: number, start: number, end: number, step: number): number {
  const clamp = (index: number, low: number, high: number) =>
    Math.min(Math.max(index < 0 ? index + dim : index, low), high);
  const from = step > 0 ? clamp(start, 0, dim) : clamp(start, 0, dim - 1);
  const to = step > 0 ? clamp(end, 0, dim) : end < -dim ? -1 : clamp(end, -1, dim - 1);
  return Math.max(0, Math.ceil((to - from) / step));
}

/** Elements of `dim` from `start` up to `end`, one by one. */
function slicedDim(dim: Dim, start: Dim, end: Dim): Dim {
  const place = (at: Dim): Dim => (typeof at === 'number' && at < 0 ? addDims(dim, at) : at);
  // "To the end" is written as a number that no size reaches.
  const from = place(start);
  const to = typeof end === 'number' && end >= 2 ** 31 - 1 ? dim : place(end);
  const size = subtractDims(to, from);
  // [k:] and [:-k] of a symbolic size; what a size of less than k would give is told nowhere else.
  if (typeof from === 'number' && typeof size === 'string' && (to !== end || to === dim)) return size;
  // The first and the last of a symbolic size: there is one.
  if ((from === 0 && to === 1) || (start === -1 && to === dim)) return 1;
  return typeof size === 'number' && size <= 0 ? 0 : sliceName(dim, from, to);
}

const slice: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const list = (name: string, index: number) => intsFrom(context, name, index) ?? context.sizes(index);
  const starts = list('starts', 1);
  const ends = list('ends', 2);
  const axes = intsFrom(context, 'axes', 3) ?? (context.inputs[3] ? undefined : starts?.map((_, i) => i));
  const steps = constantInts(context, 4) ?? (context.inputs[4] ? undefined : starts?.map(() => 1));
  const result: Dim[] = [...shape];
  if (!axes) return [{ type, shape: shape.map(() => context.freshDim()) }];
  axes.forEach((given, i) => {
    const axis = normalizeAxis(given, shape.length);
    const [start, end, step] = [starts?.[i] ?? null, ends?.[i] ?? null, steps?.[i] ?? null];
    const dim = shape[axis];
    const numbers = [dim, start, end].every((size) => typeof size === 'number');
    if (start === null || end === null || !step || (step !== 1 && !numbers))
      result[axis] = context.freshDim();
    else if (numbers) result[axis] = slicedSize(dim as number, start as number, end as number, step);
    else result[axis] = slicedDim(dim, start, end);
  });
  return [{ type, shape: result }];
};

const expand: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const target = context.sizes(1) ?? sizesOfUnknown(context, 1);
  const sizes = target.map((size) => size ?? context.freshDim());
  return [{ type, shape: broadcastShapes(shape, sizes) }];
};

const tile: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const repeats = context.sizes(1);
  const times = (dim: Dim, i: number) => {
    const count = repeats?.[i] ?? null;
    return count === null ? context.freshDim() : multiplyDims(dim, count);
  };
  return [{ type, shape: shape.map(times) }];
};

const pad: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const pads = intsFrom(context, 'pads', 1) ?? context.sizes(1);
  const axes =
    constantInts(context, 3)?.map((axis) => normalizeAxis(axis, shape.length)) ?? shape.map((_, i) => i);
  const result: Dim[] = [...shape];
  axes.forEach((axis, i) => {
    const [before, after] = [pads?.[i] ?? null, pads?.[i + axes.length] ?? null];
    result[axis] =
      before !== null && after !== null ? addDims(addDims(shape[axis], before), after) : context.freshDim();
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
