import { intAttribute, type TypedValue } from '../graph.ts';
import {
  axisOf,
  type InferenceContext,
  type InferenceRule,
  inputAt,
  intsFrom,
  normalizeAxis,
  ShapeError,
} from './rule.ts';

/** The axes that a reduction node reduces over, counted from the front; undefined when they are not constant. */
function reductionAxes(context: InferenceContext, input: TypedValue): number[] | undefined {
  const rank = input.shape.length;
  const axes = intsFrom(context, 'axes', 1);
  if (!axes && context.inputs[1]) return undefined;
  if (!axes || axes.length === 0) {
    return intAttribute(context, 'noop_with_empty_axes', 0) ? [] : input.shape.map((_, axis) => axis);
  }
  return axes.map((axis) => normalizeAxis(axis, rank));
}

const reduce: InferenceRule = (context) => {
  const input = inputAt(context, 0);
  const keep = intAttribute(context, 'keepdims', 1) === 1;
  const axes = reductionAxes(context, input);
  if (!axes) {
    if (!keep)
      throw new ShapeError(`${context.opType} over axes that are not known: its rank cannot be told`);
    return [{ type: input.type, shape: input.shape.map(() => context.freshDim()) }];
  }
  const shape = input.shape.flatMap((dim, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [dim]));
  return [{ type: input.type, shape }];
};

const argReduce: InferenceRule = (context) => {
  const input = inputAt(context, 0);
  const axis = axisOf(context, 0, input.shape.length);
  const keep = intAttribute(context, 'keepdims', 1) === 1;
  return [
    { type: 'int64', shape: input.shape.flatMap((dim, i) => (i === axis ? (keep ? [1] : []) : [dim])) },
  ];
};

const topK: InferenceRule = (context) => {
  const input = inputAt(context, 0);
  const axis = axisOf(context, -1, input.shape.length);
  const size = context.sizes(1)?.[0] ?? context.freshDim();
  const shape = input.shape.map((dim, i) => (i === axis ? size : dim));
  return [
    { type: input.type, shape },
    { type: 'int64', shape },
  ];
};

const layerNormalization: InferenceRule = (context) => {
  const input = inputAt(context, 0);
  const axis = axisOf(context, -1, input.shape.length);
  const statistics = input.shape.map((dim, i) => (i < axis ? dim : 1));
  return [
    { type: input.type, shape: input.shape },
    { type: 'float32' as const, shape: statistics },
    { type: 'float32' as const, shape: statistics },
  ].slice(0, context.outputCount);
};

export const REDUCTION_RULES: Record<string, InferenceRule> = {
  ...Object.fromEntries(
    'ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare'
      .split(' ')
      .map((opType) => [opType, reduce]),
  ),
  ArgMax: argReduce,
  ArgMin: argReduce,
  TopK: topK,
  LayerNormalization: layerNormalization,
};
