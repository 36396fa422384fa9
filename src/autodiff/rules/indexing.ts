import { intAttribute, stringAttribute, type TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { normalizeAxis } from '../../onnx/shape-inference/rule.ts';
import { elementCount, toNumbers } from '../../onnx/tensor.ts';
import { addRows } from '../add-rows.ts';
import { range } from '../broadcast.ts';
import { type GradientCall, type GradientRule, gradientOf, inputOf, UnsupportedGradient } from '../rule.ts';
import { rememberScattered } from '../scattered.ts';
import {
  asSize,
  countAlong,
  divideSizes,
  expandTo,
  product,
  reshapeTo,
  type Size,
  shapeVector,
  sizesOf,
  subtractSizes,
} from '../sizes.ts';
import { fromFront, padBy, zerosLike } from './movement.ts';

/** Adds the rows of dy to the rows of zeros that `indices` names: the gradient of an embedding table. */
const gather: GradientRule = (call) => {
  const { g } = call;
  const [data, indices] = [inputOf(call, 0), inputOf(call, 1)];
  const dy = gradientOf(call);
  const sizes = sizesOf(g, data);
  const axis = normalizeAxis(intAttribute(call.node, 'axis', 0), sizes.length);
  const constant = g.constantOf(indices);
  if (constant && elementCount(constant.dims) === 1) {
    // One position (the first token, say): zeros around it.
    const position = fromFront(g, toNumbers(constant)[0], sizes[axis]);
    const slab = reshapeTo(
      g,
      dy,
      sizes.map((size, i) => (i === axis ? 1 : size)),
    );
    const before = sizes.map((_, i) => (i === axis ? position : 0));
    const rest = subtractSizes(g, subtractSizes(g, sizes[axis], 1), position);
    const after = sizes.map((_, i) => (i === axis ? rest : 0));
    return [padBy(call, slab, before, after)];
  }
  const count = countAlong(g, indices);
  if (axis === 0) {
    const width = product(g, sizes.slice(1));
    const rows = reshapeTo(g, dy, [count, width]);
    const flat = reshapeTo(g, indices, [count]);
    return [reshapeTo(g, addRows(g, { indices: flat, rows, count, width, height: sizes[0] as Size }), sizes)];
  }
  const rows = sizes.map((size, i) => (i === axis ? count : size));
  const along = reshapeTo(
    g,
    indices,
    sizes.map((_, i) => (i === axis ? count : 1)),
  );
  return [
    g.scatterElements(zerosLike(call, data), expandTo(g, along, rows), reshapeTo(g, dy, rows), {
      axis,
      reduction: 'add',
    }),
  ];
};

const gatherElements: GradientRule = (call) => {
  const { g } = call;
  const [data, indices] = [inputOf(call, 0), inputOf(call, 1)];
  const axis = normalizeAxis(intAttribute(call.node, 'axis', 0), data.shape.length);
  const updates = gradientOf(call);
  const dx = g.scatterElements(zerosLike(call, data), indices, updates, { axis, reduction: 'add' });
  return [rememberScattered(dx, { axis, indices, updates })];
};

/** The values of a TopK go back to where its second output says that they came from. */
const topK: GradientRule = (call) => {
  const indices = call.outputs[1];
  if (!indices) throw new UnsupportedGradient('its indices are left out');
  return [
    call.g.scatterElements(zerosLike(call, inputOf(call, 0)), indices, gradientOf(call), {
      axis: intAttribute(call.node, 'axis', -1),
    }),
  ];
};

/** Rows of the flattened data are added to: the index tuples become row numbers first. */
const gatherNd: GradientRule = (call) => {
  const data = inputOf(call, 0);
  const batch = intAttribute(call.node, 'batch_dims', 0);
  return [addTuples(call, data, rowNumbers(call, data, inputOf(call, 1), batch), gradientOf(call), batch)];
};

interface Rows {
  /** Number of each row among the leading axes of the data that the tuples index, as int64[count]. */
  readonly numbers: TypedValue;
  readonly count: Size;
}

/** The length of an index tuple. */
function tupleDepth(indices: TypedValue): number {
  const depth = indices.shape[indices.shape.length - 1];
  if (typeof depth !== 'number') throw new UnsupportedGradient('the length of its index tuples is not known');
  return depth;
}

/** Turns index tuples (the last axis of `indices`) into row numbers, also for indices below 0. */
function rowNumbers({ g }: GradientCall, data: TypedValue, indices: TypedValue, batch: number): Rows {
  const depth = tupleDepth(indices);
  const all = sizesOf(g, data);
  const sizes = all.slice(batch, batch + depth);
  const strides = sizes.map((_, i) => product(g, sizes.slice(i + 1)));
  const count = countAlong(g, indices, range(indices.shape.length - 1));
  const wide = g.cast(reshapeTo(g, indices, [count, depth]), 'int64');
  const positive = g.where(g.less(wide, 0), g.add(wide, shapeVector(g, sizes)), wide);
  let numbers = g.reduceSum(g.mul(positive, shapeVector(g, strides)), { axes: [1], keepDims: false });
  if (batch > 0) {
    // Each batch entry owns a block of rows.
    const entries = product(g, all.slice(0, batch));
    const offsets = multiples(g, entries, product(g, sizes));
    const perEntry = g.add(reshapeTo(g, numbers, [entries, divideSizes(g, count, entries)]), offsets);
    numbers = reshapeTo(g, perEntry, [count]);
  }
  return { numbers, count };
}

/** 0, step, 2 step, ... as a column of `count` int64. */
function multiples(g: GraphBuilder, count: Size, step: Size): TypedValue {
  if (typeof count === 'number' && typeof step === 'number')
    return g.reshape(g.ints(range(count).map((i) => i * step)), [count, 1]);
  const limit = g.reshape(asSize(g, count), []);
  const numbers = g.op('Range', [g.scalar(0, 'int64'), limit, g.scalar(1, 'int64')]);
  return g.unsqueeze(g.mul(numbers, asSize(g, step)), [1]);
}

function addTuples(
  call: GradientCall,
  data: TypedValue,
  rows: Rows,
  updates: TypedValue,
  batch: number,
): TypedValue {
  const { g } = call;
  const sizes = sizesOf(g, data);
  const lead = batch + tupleDepth(inputOf(call, 1));
  const width = product(g, sizes.slice(lead));
  const height = product(g, sizes.slice(0, lead));
  const flat = reshapeTo(g, updates, [rows.count, width]);
  const sums = addRows(g, { indices: rows.numbers, rows: flat, count: rows.count, width, height });
  return reshapeTo(g, sums, sizes);
}

/** Overwritten elements get no gradient; what was written gets it from its place. */
const scatterNd: GradientRule = (call) => {
  const { g } = call;
  const dy = gradientOf(call);
  const [indices, updates] = [inputOf(call, 1), inputOf(call, 2)];
  const added = isAddition(call);
  const overwritten = () => g.scatterNd(dy, indices, zerosLike(call, updates));
  return [
    call.needs(0) ? (added ? dy : overwritten()) : null,
    null,
    call.needs(2) ? g.op('GatherND', [dy, indices]) : null,
  ];
};

const scatterElements: GradientRule = (call) => {
  const { g } = call;
  const dy = gradientOf(call);
  const [indices, updates] = [inputOf(call, 1), inputOf(call, 2)];
  const axis = intAttribute(call.node, 'axis', 0);
  const added = isAddition(call);
  const overwritten = () => g.scatterElements(dy, indices, zerosLike(call, updates), { axis });
  return [
    call.needs(0) ? (added ? dy : overwritten()) : null,
    null,
    call.needs(2) ? g.gatherElements(dy, indices, axis) : null,
  ];
};

function isAddition(call: GradientCall): boolean {
  const reduction = stringAttribute(call.node, 'reduction', 'none');
  if (reduction !== 'none' && reduction !== 'add') throw new UnsupportedGradient(`reduction ${reduction}`);
  return reduction === 'add';
}

export const INDEXING_RULES: Record<string, GradientRule> = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterND: scatterNd,
  ScatterElements: scatterElements,
  TopK: topK,
};
