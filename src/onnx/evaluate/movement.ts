import { intAttribute, intsAttribute, type Node } from '../graph.ts';
import { elementCount, type Tensor } from '../tensor.ts';
import { broadcastDims, broadcastPlaces } from './broadcast.ts';
import {
  checkSize,
  Declined,
  type EvaluateLimits,
  type Evaluator,
  normalAxis,
  required,
  stridedPlaces,
  stridesOf,
  takeElements,
  wholeNumbers,
} from './evaluator.ts';

/** The same elements under another shape. Data is shared: tensors are not written to. */
function reshaped(source: Tensor, dims: readonly number[], limits: EvaluateLimits): Tensor {
  checkSize(dims, limits);
  if (elementCount(dims) !== source.data.length) throw new Declined(`[${source.dims}] is not [${dims}]`);
  return { type: source.type, dims, data: source.data };
}

/** Axes are an attribute in older operator sets and an input in newer ones. */
export function axesOf(
  node: Node,
  inputs: readonly (Tensor | null)[],
  index: number,
  limits: EvaluateLimits,
): readonly number[] | undefined {
  const tensor = inputs[index];
  return tensor ? wholeNumbers(tensor, limits) : intsAttribute(node, 'axes');
}

const reshape: Evaluator = (node, inputs, limits) => {
  const source = required(inputs, 0);
  const target = wholeNumbers(required(inputs, 1), limits);
  const keepZero = intAttribute(node, 'allowzero', 0) === 0;
  const dims = target.map((dim, i) => (dim === 0 && keepZero ? (source.dims[i] ?? 0) : dim));
  const open = dims.indexOf(-1);
  if (open >= 0) {
    const known = elementCount(dims.filter((_, i) => i !== open));
    if (known === 0) throw new Declined('-1 beside a size of 0');
    dims[open] = source.data.length / known;
  }
  return [reshaped(source, dims, limits)];
};

const flatten: Evaluator = (node, inputs, limits) => {
  const source = required(inputs, 0);
  const axis = intAttribute(node, 'axis', 1);
  const at = axis < 0 ? axis + source.dims.length : axis;
  const rows = elementCount(source.dims.slice(0, at));
  return [reshaped(source, [rows, elementCount(source.dims.slice(at))], limits)];
};

const squeeze: Evaluator = (node, inputs, limits) => {
  const source = required(inputs, 0);
  const axes = axesOf(node, inputs, 1, limits)?.map((axis) => normalAxis(axis, source.dims.length));
  if (axes?.some((axis) => source.dims[axis] !== 1)) throw new Declined('a squeezed size is not 1');
  const dims = source.dims.filter((dim, i) => (axes ? !axes.includes(i) : dim !== 1));
  return [reshaped(source, dims, limits)];
};

const unsqueeze: Evaluator = (node, inputs, limits) => {
  const source = required(inputs, 0);
  const given = axesOf(node, inputs, 1, limits);
  if (!given) throw new Declined('no axes');
  const rank = source.dims.length + given.length;
  const axes = new Set(given.map((axis) => normalAxis(axis, rank)));
  if (axes.size < given.length) throw new Declined('an axis is there twice');
  const rest = source.dims[Symbol.iterator]();
  const dims = Array.from({ length: rank }, (_, i) => (axes.has(i) ? 1 : (rest.next().value as number)));
  return [reshaped(source, dims, limits)];
};

const transpose: Evaluator = (node, inputs, limits) => {
  const source = required(inputs, 0);
  const rank = source.dims.length;
  const perm = intsAttribute(node, 'perm') ?? source.dims.map((_, i) => rank - 1 - i);
  if (perm.length !== rank || new Set(perm).size < rank) throw new Declined('not a permutation');
  const own = stridesOf(source.dims);
  const axes = perm.map((axis) => normalAxis(axis, rank));
  const dims = axes.map((axis) => source.dims[axis]!);
  checkSize(dims, limits);
  const places = stridedPlaces(
    dims,
    axes.map((axis) => own[axis]!),
  );
  return [takeElements(source, places, dims, limits)];
};

const expand: Evaluator = (_node, inputs, limits) => {
  const source = required(inputs, 0);
  const dims = broadcastDims([source.dims, wholeNumbers(required(inputs, 1), limits)]);
  return [takeElements(source, broadcastPlaces(source.dims, dims, limits), dims, limits)];
};

const concat: Evaluator = (node, inputs, limits) => {
  const sources = inputs.map((_, i) => required(inputs, i));
  const first = required(sources, 0);
  const axis = normalAxis(intAttribute(node, 'axis', 0), first.dims.length);
  const outer = (dims: readonly number[]) => dims.filter((_, i) => i !== axis).join();
  if (sources.some((s) => s.type !== first.type || outer(s.dims) !== outer(first.dims))) {
    throw new Declined('parts do not fit');
  }
  const dims = first.dims.map((dim, i) =>
    i === axis ? sources.reduce((sum, s) => sum + s.dims[axis]!, 0) : dim,
  );
  checkSize(dims, limits);
  // Along the axis, a row of the result is a row of each part, one after another.
  const rows = elementCount(dims.slice(0, axis));
  const all = { type: first.type, dims, data: [] as (string | number | bigint)[] };
  for (let row = 0; row < rows; row++) {
    for (const { dims: own, data } of sources) {
      const length = elementCount(own.slice(axis));
      for (let i = 0; i < length; i++) all.data.push(data[row * length + i]!);
    }
  }
  const places = stridedPlaces(dims, stridesOf(dims));
  return [takeElements(all as unknown as Tensor, places, dims, limits)];
};

const gather: Evaluator = (node, inputs, limits) => {
  const source = required(inputs, 0);
  const indices = required(inputs, 1);
  const axis = normalAxis(intAttribute(node, 'axis', 0), source.dims.length);
  const size = source.dims[axis]!;
  const chosen = wholeNumbers(indices, limits).map((index) => normalAxis(index, size));
  const dims = [...source.dims.slice(0, axis), ...indices.dims, ...source.dims.slice(axis + 1)];
  checkSize(dims, limits);
  const inner = elementCount(source.dims.slice(axis + 1));
  const outer = elementCount(source.dims.slice(0, axis));
  const places = new Float64Array(outer * chosen.length * inner);
  let at = 0;
  for (let row = 0; row < outer; row++) {
    for (const index of chosen) {
      for (let i = 0; i < inner; i++) places[at++] = (row * size + index) * inner + i;
    }
  }
  return [takeElements(source, places, dims, limits)];
};

const slice: Evaluator = (node, inputs, limits) => {
  const source = required(inputs, 0);
  const rank = source.dims.length;
  const part = (index: number, name: string) => {
    const tensor = inputs[index];
    return tensor ? wholeNumbers(tensor, limits) : intsAttribute(node, name);
  };
  const starts = part(1, 'starts');
  const ends = part(2, 'ends');
  if (!starts || !ends) throw new Declined('no starts or ends');
  const axes = part(3, 'axes') ?? starts.map((_, i) => i);
  const steps = part(4, 'steps') ?? starts.map(() => 1);
  const dims = [...source.dims];
  const strides = stridesOf(source.dims);
  let offset = 0;
  for (const [i, given] of axes.entries()) {
    const axis = normalAxis(given, rank);
    const size = source.dims[axis]!;
    const step = steps[i]!;
    if (!step) throw new Declined('a step of 0');
    // Backwards, a slice ends before index -1, and starts no later than at the last element.
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + size : at, low), high);
    const start = clamp(starts[i]!);
    dims[axis] = Math.max(0, Math.ceil((clamp(ends[i]!) - start) / step));
    offset += start * strides[axis]!;
    strides[axis]! *= step;
  }
  checkSize(dims, limits);
  return [takeElements(source, stridedPlaces(dims, strides, offset), dims, limits)];
};

const tile: Evaluator = (_node, inputs, limits) => {
  const source = required(inputs, 0);
  const repeats = wholeNumbers(required(inputs, 1), limits);
  if (repeats.length !== source.dims.length) throw new Declined('repeats for another rank');
  const dims = source.dims.map((dim, i) => dim * repeats[i]!);
  checkSize(dims, limits);
  // As a broadcast: [a, b] repeated [r, s] times is [r, a, s, b] over strides [0, b, 0, 1].
  const strides = stridesOf(source.dims);
  const places = stridedPlaces(
    source.dims.flatMap((dim, i) => [repeats[i]!, dim]),
    strides.flatMap((stride) => [0, stride]),
  );
  return [takeElements(source, places, dims, limits)];
};

const identity: Evaluator = (_node, inputs) => [required(inputs, 0)];

export const MOVEMENT: Record<string, Evaluator> = {
  Identity: identity,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Expand: expand,
  Concat: concat,
  Gather: gather,
  Slice: slice,
  Tile: tile,
};
