import { intAttribute, stringAttribute, type TypedValue } from '../../onnx/graph.ts';
import { normalizeAxis } from '../../onnx/shape-inference/rule.ts';
import { elementCount, toNumbers } from '../../onnx/tensor.ts';
import { countAlong, range, staticShape } from '../broadcast.ts';
import { type GradientCall, type GradientRule, gradientOf, inputOf, UnsupportedGradient } from '../rule.ts';
import { padBy, zerosLike } from './movement.ts';

/**
 * Adds the rows of dy to the rows of zeros that `indices` names: the gradient of an embedding table.
 *
 * By ScatterElements with reduction=add, measured on 4,096 ids (a few of them very frequent) into [8000, 64] with 2
 * threads, 50 runs (`npx tsx scripts/measure-gradients.ts`; 200 runs gave the same picture):
 *
 * | formulation                    | ms  | runs that differ                                         |
 * |--------------------------------|-----|----------------------------------------------------------|
 * | ScatterElements, reduction=add | 1.6 | none: one thread adds in order, bit for bit as a loop does |
 * | ScatterND, reduction=add       | 0.4 | nearly all: threads race for equal ids, updates get lost   |
 * | OneHot, Gemm                   | 210 | none                                                     |
 */
const gather: GradientRule = (call) => {
  const { g } = call;
  const [data, indices] = [inputOf(call, 0), inputOf(call, 1)];
  const dy = gradientOf(call);
  const shape = staticShape(data);
  const axis = normalizeAxis(intAttribute(call.node, 'axis', 0), shape.length);
  const constant = g.constantOf(indices);
  if (constant && elementCount(constant.dims) === 1) {
    // One position (the first token, say): zeros around it.
    const given = toNumbers(constant)[0];
    const position = given < 0 ? given + shape[axis] : given;
    const slab = g.reshape(
      dy,
      shape.map((size, i) => (i === axis ? 1 : size)),
    );
    const before = shape.map((_, i) => (i === axis ? position : 0));
    const after = shape.map((size, i) => (i === axis ? size - 1 - position : 0));
    return [padBy(call, slab, before, after)];
  }
  const count = elementCount(staticShape(indices));
  const rows = shape.map((size, i) => (i === axis ? count : size));
  const along = g.reshape(
    indices,
    shape.map((_, i) => (i === axis ? count : 1)),
  );
  return [
    g.scatterElements(zerosLike(call, data), g.expand(along, rows), g.reshape(dy, rows), {
      axis,
      reduction: 'add',
    }),
  ];
};

const gatherElements: GradientRule = (call) => [
  call.g.scatterElements(zerosLike(call, inputOf(call, 0)), inputOf(call, 1), gradientOf(call), {
    axis: intAttribute(call.node, 'axis', 0),
    reduction: 'add',
  }),
];

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

/**
 * Rows of the flattened data are added to by ScatterElements (ScatterND's addition is a race, see above): the index
 * tuples become row numbers first.
 */
const gatherNd: GradientRule = (call) => {
  const data = inputOf(call, 0);
  const batch = intAttribute(call.node, 'batch_dims', 0);
  return [addRows(call, data, rowNumbers(call, data, inputOf(call, 1), batch), gradientOf(call), batch)];
};

interface Rows {
  /** Number of each row among the leading axes of the data that the tuples index, as int64[count]. */
  readonly numbers: TypedValue;
  readonly count: number;
}

/** Turns index tuples (the last axis of `indices`) into row numbers, also for indices below 0. */
function rowNumbers({ g }: GradientCall, data: TypedValue, indices: TypedValue, batch: number): Rows {
  const shape = staticShape(data);
  const tuples = staticShape(indices);
  const depth = tuples[tuples.length - 1];
  const sizes = shape.slice(batch, batch + depth);
  const strides = sizes.map((_, i) => elementCount(sizes.slice(i + 1)));
  const count = elementCount(tuples.slice(0, -1));
  const wide = g.cast(g.reshape(indices, [count, depth]), 'int64');
  const positive = g.where(g.less(wide, 0), g.add(wide, g.ints(sizes)), wide);
  let numbers = g.reduceSum(g.mul(positive, g.ints(strides)), { axes: [1], keepDims: false });
  if (batch > 0) {
    // Each batch entry owns a block of rows.
    const entries = elementCount(shape.slice(0, batch));
    const block = elementCount(sizes);
    const offsets = g.ints(range(entries).map((i) => i * block));
    const perEntry = g.add(g.reshape(numbers, [entries, count / entries]), g.reshape(offsets, [entries, 1]));
    numbers = g.reshape(perEntry, [count]);
  }
  return { numbers, count };
}

function addRows(
  call: GradientCall,
  data: TypedValue,
  rows: Rows,
  updates: TypedValue,
  batch: number,
): TypedValue {
  const { g } = call;
  const shape = staticShape(data);
  const tuples = inputOf(call, 1).shape;
  const lead = batch + countAlong(inputOf(call, 1), [tuples.length - 1]);
  const width = elementCount(shape.slice(lead));
  const height = elementCount(shape.slice(0, lead));
  const flat = { ...data, shape: [height, width] };
  const at = g.expand(g.reshape(rows.numbers, [rows.count, 1]), [rows.count, width]);
  const sums = g.scatterElements(zerosLike(call, flat), at, g.reshape(updates, [rows.count, width]), {
    axis: 0,
    reduction: 'add',
  });
  return g.reshape(sums, shape);
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
