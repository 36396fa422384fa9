import { dataTypeFromCode } from '../data-type.ts';
import { type Dim, intAttribute } from '../graph.ts';
import { type Tensor, toNumbers } from '../tensor.ts';
import {
  axisOf,
  type InferenceContext,
  type InferenceRule,
  inputAt,
  normalizeAxis,
  rankListed,
  ShapeError,
} from './rule.ts';

const gather: InferenceRule = (context) => {
  const data = inputAt(context, 0);
  const indices = inputAt(context, 1);
  const axis = axisOf(context, 0, data.shape.length);
  return [
    {
      type: data.type,
      shape: [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)],
    },
  ];
};

const gatherElements: InferenceRule = (context) => [
  { type: inputAt(context, 0).type, shape: inputAt(context, 1).shape },
];

const gatherNd: InferenceRule = (context) => {
  const data = inputAt(context, 0);
  const { shape: indices } = inputAt(context, 1);
  const batch = intAttribute(context, 'batch_dims', 0);
  const depth = indices[indices.length - 1];
  if (typeof depth !== 'number') throw new ShapeError('GatherND with an unknown index depth');
  return [{ type: data.type, shape: [...indices.slice(0, -1), ...data.shape.slice(batch + depth)] }];
};

const scatter: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  return [{ type, shape }];
};

const oneHot: InferenceRule = (context) => {
  const { shape } = inputAt(context, 0);
  const axis = intAttribute(context, 'axis', -1);
  const depth: Dim = context.sizes(1)?.[0] ?? context.freshDim();
  const at = normalizeAxis(axis, shape.length + 1);
  return [{ type: inputAt(context, 2).type, shape: [...shape.slice(0, at), depth, ...shape.slice(at)] }];
};

const shapeOf: InferenceRule = (context) => {
  const rank = inputAt(context, 0).shape.length;
  const clamp = (index: number) => Math.min(Math.max(index < 0 ? index + rank : index, 0), rank);
  const start = clamp(intAttribute(context, 'start', 0));
  const end = clamp(intAttribute(context, 'end', rank));
  return [{ type: 'int64', shape: [Math.max(0, end - start)] }];
};

const range: InferenceRule = (context) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => context.constant(i));
  const known = start && limit && delta;
  const size = known
    ? Math.max(0, Math.ceil((toNumbers(limit)[0] - toNumbers(start)[0]) / toNumbers(delta)[0]))
    : (countingSize(context) ?? context.freshDim());
  return [{ type: inputAt(context, 0).type, shape: [size] }];
};

/** 0, 1, ... up to a size: that many. */
function countingSize(context: InferenceContext): Dim | undefined {
  const [start, limit, delta] = [0, 1, 2].map((i) => context.sizes(i)?.[0] ?? null);
  return start === 0 && delta === 1 && limit !== null ? limit : undefined;
}

const constant: InferenceRule = (context) => {
  for (const [name, attribute] of context.attributes) {
    if (attribute.kind === 'tensor') return [{ type: attribute.value.type, shape: attribute.value.dims }];
    if (name === 'value_float') return [{ type: 'float32', shape: [] }];
    if (name === 'value_int') return [{ type: 'int64', shape: [] }];
    if (attribute.kind === 'floats') return [{ type: 'float32', shape: [attribute.value.length] }];
    if (attribute.kind === 'ints') return [{ type: 'int64', shape: [attribute.value.length] }];
  }
  throw new ShapeError('Constant without a value');
};

const constantOfShape: InferenceRule = (context) => {
  const value = context.attributes.get('value');
  const type = value?.kind === 'tensor' ? (value.value as Tensor).type : 'float32';
  const target = context.sizes(0);
  if (target) return [{ type, shape: target.map((size) => size ?? context.freshDim()) }];
  return [{ type, shape: Array.from({ length: rankListed(context, 0) }, () => context.freshDim()) }];
};

const eyeLike: InferenceRule = (context) => {
  const { type, shape } = inputAt(context, 0);
  const dtype = context.attributes.get('dtype');
  const wanted = dtype?.kind === 'int' ? dataTypeFromCode(dtype.value) : type;
  if (!wanted) throw new ShapeError('EyeLike of an unknown type');
  return [{ type: wanted, shape }];
};

const nonZero: InferenceRule = (context) => [
  { type: 'int64', shape: [inputAt(context, 0).shape.length, context.freshDim()] },
];

const size: InferenceRule = () => [{ type: 'int64', shape: [] }];

export const INDEXING_RULES: Record<string, InferenceRule> = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterND: scatter,
  ScatterElements: scatter,
  OneHot: oneHot,
  Shape: shapeOf,
  Size: size,
  Range: range,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  EyeLike: eyeLike,
  NonZero: nonZero,
};
