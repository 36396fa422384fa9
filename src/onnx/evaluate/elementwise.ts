import type { DataType, TensorData } from '../data-type.ts';
import type { Tensor } from '../tensor.ts';
import { broadcastDims, broadcastPlaces } from './broadcast.ts';
import {
  allocate,
  Declined,
  type EvaluateLimits,
  type Evaluator,
  required,
  takeElements,
} from './evaluator.ts';

type NumberArray = Exclude<TensorData, string[] | BigInt64Array | BigUint64Array>;

/**
 * Results are computed in double precision and rounded when stored. For the operations here that gives the bits
 * that float32 arithmetic gives (a double has more than twice the digits), and integers wrap as in C.
 * No operation is here whose last bit depends on a mathematics library (exp, pow, erf).
 */
type OnNumbers = (a: number, b: number) => number;
type OnBigInts = (a: bigint, b: bigint) => bigint;

const arithmetic =
  (onNumbers: (type: DataType) => OnNumbers, onBigInts: OnBigInts): Evaluator =>
  (_node, inputs, limits) => {
    let result = required(inputs, 0);
    // Min and Max take any number of operands.
    for (let i = 1; i < inputs.length; i++) result = combine(result, required(inputs, i), limits);
    return [result];

    function combine(left: Tensor, right: Tensor, limits: EvaluateLimits): Tensor {
      const { a, b, dims } = operands(left, right, limits);
      const { type } = left;
      if (type === 'int64' || type === 'uint64') {
        const data = allocate(type, dims, limits);
        const [x, y] = [a.data as BigInt64Array, b.data as BigInt64Array];
        for (let i = 0; i < data.length; i++) data[i] = onBigInts(x[i]!, y[i]!);
        return { type, dims, data };
      }
      const data = allocate(numeric(type), dims, limits);
      const compute = onNumbers(type);
      const [x, y] = [a.data as NumberArray, b.data as NumberArray];
      for (let i = 0; i < data.length; i++) data[i] = compute(x[i]!, y[i]!);
      return { type, dims, data };
    }
  };

const comparison =
  (holds: (a: number | bigint | string, b: number | bigint | string) => boolean): Evaluator =>
  (_node, inputs, limits) => {
    const { a, b, dims } = operands(required(inputs, 0), required(inputs, 1), limits);
    if (a.type === 'float16' || a.type === 'bfloat16') throw new Declined('16-bit floats are not compared');
    const data = allocate('bool', dims, limits);
    for (let i = 0; i < data.length; i++) data[i] = holds(a.data[i]!, b.data[i]!) ? 1 : 0;
    return [{ type: 'bool', dims, data }];
  };

const unary =
  (onNumbers: (a: number) => number, onBigInts?: (a: bigint) => bigint): Evaluator =>
  (_node, inputs, limits) => {
    const { type, dims, data: source } = required(inputs, 0);
    if (type === 'int64' || type === 'uint64') {
      if (!onBigInts) throw new Declined(`not for ${type}`);
      const data = allocate(type, dims, limits);
      for (let i = 0; i < data.length; i++) data[i] = onBigInts(source[i] as bigint);
      return [{ type, dims, data }];
    }
    const data = allocate(numeric(type), dims, limits);
    for (let i = 0; i < data.length; i++) data[i] = onNumbers(source[i] as number);
    return [{ type, dims, data }];
  };

const where: Evaluator = (_node, inputs, limits) => {
  const [condition, a, b] = [required(inputs, 0), required(inputs, 1), required(inputs, 2)];
  if (a.type !== b.type) throw new Declined('operands of two types');
  const dims = broadcastDims([condition.dims, a.dims, b.dims]);
  const [chosen, other, test] = [a, b, condition].map((tensor) =>
    takeElements(tensor, broadcastPlaces(tensor.dims, dims, limits), dims, limits),
  ) as [Tensor, Tensor, Tensor];
  const target = chosen.data as (string | number | bigint)[];
  for (let i = 0; i < target.length; i++) if (!test.data[i]) target[i] = other.data[i]!;
  return [chosen];
};

function operands(a: Tensor, b: Tensor, limits: EvaluateLimits) {
  if (a.type !== b.type) throw new Declined('operands of two types');
  const dims = broadcastDims([a.dims, b.dims]);
  return {
    a: takeElements(a, broadcastPlaces(a.dims, dims, limits), dims, limits),
    b: takeElements(b, broadcastPlaces(b.dims, dims, limits), dims, limits),
    dims,
  };
}

/** Types that an array of plain numbers holds; 16-bit floats are held as words, not as numbers. */
function numeric(type: DataType) {
  if (type === 'string' || type === 'float16' || type === 'bfloat16') throw new Declined(`not for ${type}`);
  return type as Exclude<DataType, 'string' | 'float16' | 'bfloat16' | 'int64' | 'uint64'>;
}

const isInteger = (type: DataType) => type !== 'float32' && type !== 'float64';

/** Integer division rounds towards zero; by zero it is left to the engine. */
function divide(type: DataType): OnNumbers {
  if (!isInteger(type)) return (a, b) => a / b;
  return (a, b) => {
    if (b === 0) throw new Declined('division by zero');
    return Math.trunc(a / b);
  };
}

const divideBigInts: OnBigInts = (a, b) => {
  if (b === 0n) throw new Declined('division by zero');
  return a / b;
};

/** Mod without fmod: the sign of the divisor, integers only. */
const mod: Evaluator = (node, inputs, limits) => {
  const fmod = node.attributes.get('fmod');
  if (fmod?.kind === 'int' && fmod.value !== 0) throw new Declined('fmod');
  return arithmetic(
    (type) => (a, b) => {
      if (b === 0 || !isInteger(type)) throw new Declined('modulo by zero or of floats');
      return a - b * Math.floor(a / b);
    },
    (a, b) => {
      if (b === 0n) throw new Declined('modulo by zero');
      return ((a % b) + b) % b;
    },
  )(node, inputs, limits);
};

const logical = (combine: OnNumbers): Evaluator =>
  arithmetic(
    () => combine,
    () => {
      throw new Declined('not for integers');
    },
  );

/** A product of two 32-bit integers has more digits than a double; imul keeps the low ones. */
const multiply = (type: DataType): OnNumbers => (isInteger(type) ? Math.imul : (a, b) => a * b);

/** Math.min and Math.max take no bigints. */
export function smaller(a: bigint, b: bigint): bigint {
  if (b < a) return b;
  return a;
}

export function larger(a: bigint, b: bigint): bigint {
  if (b > a) return b;
  return a;
}

export const ELEMENTWISE: Record<string, Evaluator> = {
  Add: arithmetic(
    () => (a, b) => a + b,
    (a, b) => a + b,
  ),
  Sub: arithmetic(
    () => (a, b) => a - b,
    (a, b) => a - b,
  ),
  Mul: arithmetic(multiply, (a, b) => a * b),
  Div: arithmetic(divide, divideBigInts),
  Mod: mod,
  Min: arithmetic(() => Math.min, smaller),
  Max: arithmetic(() => Math.max, larger),
  And: logical((a, b) => a & b),
  Or: logical((a, b) => a | b),
  Xor: logical((a, b) => a ^ b),
  Equal: comparison((a, b) => a === b),
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  Not: unary((a) => (a ? 0 : 1)),
  Neg: unary(
    (a) => -a,
    (a) => -a,
  ),
  Abs: unary(Math.abs, (a) => (a < 0n ? -a : a)),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((a) => 1 / a),
  Where: where,
};
