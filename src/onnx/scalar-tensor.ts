import { arrayTypeOf, type DataType } from './data-type.ts';
import { toBfloat16, toFloat16 } from './half-float.ts';
import { type Tensor, tensor } from './tensor.ts';

/** A number as a tensor without dimensions. @throws Error for strings */
export function scalarTensor(value: number, type: DataType): Tensor {
  if (type === 'int64' || type === 'uint64') {
    return tensor(
      type,
      [],
      type === 'int64' ? BigInt64Array.of(BigInt(value)) : BigUint64Array.of(BigInt(value)),
    );
  }
  if (type === 'string') throw new Error(`no ${type} scalars`);
  if (type === 'float16') return tensor(type, [], Uint16Array.of(toFloat16(value)));
  if (type === 'bfloat16') return tensor(type, [], Uint16Array.of(toBfloat16(value)));
  const data = new (arrayTypeOf(type))(1);
  (data as Float32Array)[0] = value;
  return tensor(type, [], data as Float32Array);
}
