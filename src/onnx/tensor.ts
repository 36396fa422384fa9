import { arrayTypeOf, type DataType, type TensorData } from './data-type.ts';
import { fromBfloat16, fromFloat16 } from './half-float.ts';

/** A dense array of numbers with a type and a shape, row-major. The same fields as an `ort.Tensor`. */
export interface Tensor {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** The number of elements of a tensor with these dimensions. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A tensor over existing data, which is not copied. Throws when the sizes disagree. */
export function tensor(type: DataType, dims: readonly number[], data: TensorData): Tensor {
  if (data.length !== elementCount(dims)) {
    throw new Error(
      `a tensor of shape [${dims.join(', ')}] has ${elementCount(dims)} elements, not ${data.length}`,
    );
  }
  return { type, dims: [...dims], data };
}

/** A tensor of zeros. */
export function zeros(type: Exclude<DataType, 'string'>, dims: readonly number[]): Tensor {
  return { type, dims: [...dims], data: new (arrayTypeOf(type))(elementCount(dims)) };
}

/** A float32 tensor; without `dims`, a vector. */
export function float32(values: ArrayLike<number>, dims: readonly number[] = [values.length]): Tensor {
  return tensor('float32', dims, Float32Array.from(values));
}

/** An int64 tensor; without `dims`, a vector. Numbers must be whole. */
export function int64(values: ArrayLike<number>, dims: readonly number[] = [values.length]): Tensor {
  return tensor('int64', dims, BigInt64Array.from(Array.from(values), BigInt));
}

/** The elements of a numeric tensor as plain numbers. For small tensors: shapes, axes, scalars. */
export function toNumbers(t: Tensor): number[] {
  const numbers = Array.from(t.data as ArrayLike<number | bigint>, Number);
  if (t.type === 'float16') return numbers.map(fromFloat16);
  if (t.type === 'bfloat16') return numbers.map(fromBfloat16);
  return numbers;
}
