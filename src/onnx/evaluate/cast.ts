import { type DataType, dataTypeFromCode } from '../data-type.ts';
import { intAttribute } from '../graph.ts';
import { allocate, Declined, type Evaluator, required } from './evaluator.ts';

/** The whole numbers that a type holds; of 64 bits, the doubles among them. */
const RANGES: Partial<Record<DataType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 63), 2 ** 63 - 1024],
  uint64: [0, 2 ** 64 - 2048],
};

/** Cast between numbers. What is out of an integer's range is left to the engine: for floats ONNX does not define it. */
const cast: Evaluator = (node, inputs, limits) => {
  const source = required(inputs, 0);
  const type = dataTypeFromCode(intAttribute(node, 'to', 0));
  if (!type || [source.type, type].some((t) => t === 'string' || t === 'float16' || t === 'bfloat16')) {
    throw new Declined(`from ${source.type} to ${type}`);
  }
  const from = source.data as ArrayLike<number | bigint>;
  if (type === 'int64' || type === 'uint64') {
    const data = allocate(type, source.dims, limits);
    for (let i = 0; i < data.length; i++) {
      const value = from[i]!;
      data[i] = typeof value === 'bigint' ? value : BigInt(whole(value, type));
    }
    return [{ type, dims: source.dims, data }];
  }
  const data = allocate(type as Exclude<DataType, 'string' | 'int64' | 'uint64'>, source.dims, limits);
  for (let i = 0; i < data.length; i++) data[i] = convert(from[i]!, type);
  return [{ type, dims: source.dims, data }];
};

function convert(value: number | bigint, type: DataType): number {
  // NaN is not zero.
  if (type === 'bool') return Number(value) === 0 ? 0 : 1;
  const toFloat = type === 'float32' || type === 'float64';
  if (typeof value === 'number') return toFloat ? value : whole(value, type);
  // Narrowing integers keeps the low bits.
  if (!toFloat) return Number(BigInt.asIntN(32, value));
  const number = Number(value);
  // Beyond 2^53 the way through a double would round twice.
  if (!Number.isSafeInteger(number)) throw new Declined(`${value} as ${type}`);
  return number;
}

function whole(value: number, type: DataType): number {
  const truncated = Math.trunc(value);
  const [low, high] = RANGES[type]!;
  if (!(truncated >= low && truncated <= high)) throw new Declined(`${value} is not a ${type}`);
  return truncated;
}

export const CAST: Record<string, Evaluator> = { Cast: cast };
