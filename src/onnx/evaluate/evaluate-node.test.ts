import { describe, expect, it } from 'vitest';
import { type AttributeInits, float } from '../attributes.ts';
import { DATA_TYPE_CODES } from '../data-type.ts';
import { float32, int64, type Tensor, toNumbers } from '../tensor.ts';
import { nodeOf, valueNamed } from '../testing/small-graph.ts';
import { evaluateNode } from './evaluate-node.ts';

const y = valueNamed('y');
const evaluate = (
  opType: string,
  inputs: (Tensor | null | undefined)[],
  attributes: AttributeInits = {},
  options = {},
) => {
  const values = inputs.map((tensor, i) => tensor && valueNamed(`i${i}`, tensor.type, tensor.dims));
  return evaluateNode(
    nodeOf(
      opType,
      values.map((value) => value ?? null),
      [y],
      attributes,
    ),
    inputs,
    options,
  )?.[0];
};
const int32 = (...values: number[]): Tensor => ({
  type: 'int32',
  dims: [values.length],
  data: Int32Array.from(values),
});
/** [[0, 1, 2], [3, 4, 5]] */
const matrix = int64([0, 1, 2, 3, 4, 5], [2, 3]);
const numbers = (result: Tensor | undefined) =>
  result && { dims: [...result.dims], values: toNumbers(result) };

describe('evaluateNode', () => {
  it('computes integers as C does: towards zero, wrapping', () => {
    expect(numbers(evaluate('Div', [int64([-7, 7]), int64([2])]))?.values).toEqual([-3, 3]);
    expect(numbers(evaluate('Div', [int32(-7, 7), int32(2)]))?.values).toEqual([-3, 3]);
    expect(numbers(evaluate('Mul', [int32(2 ** 30 + 1), int32(5)]))?.values).toEqual([
      (2 ** 30 + 1) * 5 - 2 ** 32,
    ]);
    expect(evaluate('Add', [int64([2 ** 62]), int64([2 ** 62])])?.data).toEqual(
      BigInt64Array.of(-(2n ** 63n)),
    );
    expect(numbers(evaluate('Mod', [int64([-7, 7]), int64([3])]))?.values).toEqual([2, 1]);
  });

  it('rounds to float32 once', () => {
    expect(evaluate('Div', [float32([1]), float32([3])])?.data).toEqual(Float32Array.of(1 / 3));
    expect(evaluate('Sqrt', [float32([2])])?.data).toEqual(Float32Array.of(Math.SQRT2));
  });

  it('reduces whole numbers over axes from either place', () => {
    expect(numbers(evaluate('ReduceProd', [matrix, int64([1])]))).toEqual({ dims: [2, 1], values: [0, 60] });
    expect(numbers(evaluate('ReduceSum', [matrix], { axes: [0], keepdims: 0 }))).toEqual({
      dims: [3],
      values: [3, 5, 7],
    });
    expect(numbers(evaluate('ReduceMin', [matrix], { keepdims: 0 }))).toEqual({ dims: [], values: [0] });
    expect(numbers(evaluate('ReduceProd', [int64([])], { keepdims: 0 }))).toEqual({ dims: [], values: [1] });
    expect(numbers(evaluate('ReduceSum', [matrix], { noop_with_empty_axes: 1 }))?.dims).toEqual([2, 3]);
    expect(evaluate('ReduceMax', [int64([])])).toBeUndefined();
  });

  it('slices backwards and to the end', () => {
    const slice = (starts: number[], ends: number[], axes: number[], steps: number[]) =>
      numbers(evaluate('Slice', [matrix, int64(starts), int64(ends), int64(axes), int64(steps)]))?.values;
    expect(slice([-1], [-(2 ** 63)], [1], [-1])).toEqual([2, 1, 0, 5, 4, 3]);
    expect(slice([1], [1e15], [-1], [1])).toEqual([1, 2, 4, 5]);
    expect(slice([5], [9], [0], [1])).toEqual([]);
    expect(slice([0], [1], [0], [0])).toBeUndefined();
    expect(numbers(evaluate('Slice', [matrix], { starts: [0, 1], ends: [1, 3] }))).toEqual({
      dims: [1, 2],
      values: [1, 2],
    });
  });

  it('knows Shape and Size from the type alone', () => {
    const shape = (opType: string, dims: (number | string)[], attributes = {}) =>
      numbers(
        evaluateNode(nodeOf(opType, [valueNamed('x', 'float32', dims)], [y], attributes), [undefined])?.[0],
      )?.values;
    expect(shape('Shape', [4, 5])).toEqual([4, 5]);
    expect(shape('Size', [4, 5])).toEqual([20]);
    expect(shape('Shape', ['batch', 5])).toBeUndefined();
    expect(shape('Shape', ['batch', 5, 6], { start: 1 })).toEqual([5, 6]);
    expect(shape('Shape', ['batch', 5, 6], { start: -2, end: -1 })).toEqual([5]);
  });

  it('casts within range, and leaves the rest to the engine', () => {
    const cast = (tensor: Tensor, to: keyof typeof DATA_TYPE_CODES) =>
      evaluate('Cast', [tensor], { to: DATA_TYPE_CODES[to] })?.data;
    expect(cast(float32([1.9, -1.9]), 'int64')).toEqual(BigInt64Array.of(1n, -1n));
    expect(cast(int64([2 ** 32 + 5, -1]), 'int32')).toEqual(Int32Array.of(5, -1));
    expect(cast(float32([0.5, 0, Number.NaN]), 'bool')).toEqual(Uint8Array.of(1, 0, 1));
    expect(cast(int64([3]), 'float32')).toEqual(Float32Array.of(3));
    expect(cast(float32([300]), 'uint8')).toBeUndefined();
    expect(cast(float32([Number.NaN]), 'int32')).toBeUndefined();
    expect(cast(int64([2 ** 60]), 'float32')).toBeUndefined();
    expect(cast(float32([1]), 'float16')).toBeUndefined();
  });

  it.each<[string, string, (Tensor | null | undefined)[], AttributeInits]>([
    ['an unknown operator', 'Softmax', [float32([1])], {}],
    ['an unknown input', 'Add', [float32([1]), undefined], {}],
    ['a missing input', 'Add', [float32([1]), null], {}],
    ['division by zero', 'Div', [int64([1]), int64([0])], {}],
    ['shapes that do not broadcast', 'Add', [int64([1, 2]), int64([1, 2, 3])], {}],
    ['operands of two types', 'Add', [int64([1]), float32([1])], {}],
    ['an index out of range', 'Gather', [matrix, int64([2])], { axis: 0 }],
    ['an axis out of range', 'Concat', [matrix, matrix], { axis: 2 }],
    ['parts that do not fit', 'Concat', [matrix, int64([1], [1, 1])], { axis: 0 }],
    ['a shape of another size', 'Reshape', [matrix, int64([4])], {}],
    ['a shape that divides nothing', 'Reshape', [matrix, int64([4, -1])], {}],
    ['two open sizes', 'Reshape', [matrix, int64([-1, -1])], {}],
    ['a squeeze of what is not 1', 'Squeeze', [matrix, int64([0])], {}],
    ['not a permutation', 'Transpose', [matrix], { perm: [0, 0] }],
    ['a negative size', 'ConstantOfShape', [int64([-1])], {}],
    ['more elements than allowed', 'ConstantOfShape', [int64([300, 300])], {}],
    ['a size that is no number', 'ConstantOfShape', [int64([2 ** 40, 2 ** 40])], {}],
    ['a range without end', 'Range', [int64([0], []), int64([9], []), int64([0], [])], {}],
    ['a range that is too long', 'Range', [int64([0], []), int64([2 ** 50], []), int64([1], [])], {}],
    ['a float modulo', 'Mod', [float32([1]), float32([2])], { fmod: 1 }],
    ['a constant that is not dense', 'Constant', [], { sparse_value: float(0) }],
    ['too many repeats', 'Tile', [matrix, int64([2 ** 40, 2 ** 40])], {}],
    ['an expansion too large', 'Expand', [int64([1]), int64([2 ** 30, 2 ** 20])], {}],
  ])('declines %s', (_title, opType, inputs, attributes) => {
    expect(evaluate(opType, inputs, attributes)).toBeUndefined();
  });

  it('obeys another limit', () => {
    expect(evaluate('Neg', [int64([1, 2, 3])], {}, { maxElements: 2 })).toBeUndefined();
    expect(evaluate('Neg', [int64([1, 2])], {}, { maxElements: 2 })).toBeDefined();
  });
});
