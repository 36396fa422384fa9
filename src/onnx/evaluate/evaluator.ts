import { arrayTypeOf, type DataType, type TensorData } from '../data-type.ts';
import type { Node } from '../graph.ts';
import { elementCount, type Tensor, toNumbers } from '../tensor.ts';

/** What an evaluator may spend. */
export interface EvaluateLimits {
  /** The most elements that a result may have. */
  readonly maxElements: number;
}

/** Computes a node's outputs from constant inputs, or throws `Declined`. */
export type Evaluator = (
  node: Node,
  inputs: readonly (Tensor | null)[],
  limits: EvaluateLimits,
) => readonly Tensor[];

/** Thrown by an evaluator that does not compute a node: too large, a type that it lacks, or a node that is wrong. */
export class Declined extends Error {}

/** The input at `index`. Declines when the node has none. */
export function required(inputs: readonly (Tensor | null)[], index: number): Tensor {
  const tensor = inputs[index];
  if (!tensor) throw new Declined(`input ${index} is missing`);
  return tensor;
}

/** A small tensor of whole numbers (axes, a shape, indices) as numbers. */
export function wholeNumbers(tensor: Tensor, limits: EvaluateLimits): number[] {
  if (tensor.type !== 'int64' && tensor.type !== 'int32')
    throw new Declined(`${tensor.type} where integers belong`);
  if (tensor.data.length > limits.maxElements) throw new Declined('too many elements');
  return toNumbers(tensor);
}

/** Memory for a result. Declines when it would be too large. */
export function allocate<T extends Exclude<DataType, 'string'>>(
  type: T,
  dims: readonly number[],
  limits: EvaluateLimits,
): InstanceType<ReturnType<typeof arrayTypeOf<T>>> {
  checkSize(dims, limits);
  const ArrayType = arrayTypeOf(type) as unknown as new (
    length: number,
  ) => InstanceType<ReturnType<typeof arrayTypeOf<T>>>;
  return new ArrayType(elementCount(dims));
}

/** Declines when a shape is impossible or has more elements than allowed. */
export function checkSize(dims: readonly number[], { maxElements }: EvaluateLimits): void {
  if (dims.some((dim) => !Number.isSafeInteger(dim) || dim < 0)) throw new Declined(`shape [${dims}]`);
  if (elementCount(dims) > maxElements) throw new Declined(`shape [${dims}] is too large`);
}

/** A negative axis counts from the end. Declines when it is out of range. */
export function normalAxis(axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(normal) || normal < 0 || normal >= rank)
    throw new Declined(`axis ${axis} of rank ${rank}`);
  return normal;
}

/** Row-major strides, in elements. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length);
  let stride = 1;
  for (let i = dims.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= dims[i]!;
  }
  return strides;
}

/** For each element of a shape `dims`, in order, the place offset + sum(index * stride). */
export function stridedPlaces(dims: readonly number[], strides: readonly number[], offset = 0): Float64Array {
  const places = new Float64Array(elementCount(dims));
  const index = new Array<number>(dims.length).fill(0);
  let place = offset;
  for (let i = 0; i < places.length; i++) {
    places[i] = place;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      place += strides[axis]!;
      if (++index[axis]! < dims[axis]!) break;
      place -= strides[axis]! * dims[axis]!;
      index[axis] = 0;
    }
  }
  return places;
}

/** A tensor of the elements at `places`, of any type. */
export function takeElements(
  tensor: Tensor,
  places: ArrayLike<number>,
  dims: readonly number[],
  limits: EvaluateLimits,
): Tensor {
  checkSize(dims, limits);
  const source = tensor.data as ArrayLike<string | number | bigint>;
  const result: TensorData =
    tensor.type === 'string'
      ? new Array<string>(places.length)
      : new (arrayTypeOf(tensor.type))(places.length);
  const target = result as (string | number | bigint)[];
  for (let i = 0; i < places.length; i++) target[i] = source[places[i]!]!;
  return { type: tensor.type, dims, data: result };
}
