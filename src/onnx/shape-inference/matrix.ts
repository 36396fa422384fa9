import type { DataType } from '../data-type.ts';
import { type Dim, intAttribute, type Shape } from '../graph.ts';
import {
  broadcastShapes,
  formatShape,
  type InferenceContext,
  type InferenceRule,
  inputAt,
  requireEqualDims,
  ShapeError,
} from './rule.ts';

/** The shape of numpy's matmul: vectors are promoted, leading dimensions broadcast. */
function matMulShape(a: Shape, b: Shape): Dim[] {
  if (a.length === 0 || b.length === 0) throw new ShapeError('MatMul does not take scalars');
  const left = a.length === 1 ? [1, a[0]] : a;
  const right = b.length === 1 ? [b[0], 1] : b;
  requireEqualDims(
    left[left.length - 1],
    right[right.length - 2],
    `inner dimensions of ${formatShape(a)} x ${formatShape(b)}`,
  );
  const shape: Dim[] = broadcastShapes(left.slice(0, -2), right.slice(0, -2));
  if (a.length > 1) shape.push(left[left.length - 2]);
  if (b.length > 1) shape.push(right[right.length - 1]);
  return shape;
}

function swapLastTwo(shape: Shape): Dim[] {
  return [...shape.slice(0, -2), shape[shape.length - 1], shape[shape.length - 2]];
}

function matMul(type?: DataType, a = 0, b = 1): InferenceRule {
  return (context) => [
    {
      type: type ?? inputAt(context, a).type,
      shape: matMulShape(inputAt(context, a).shape, inputAt(context, b).shape),
    },
  ];
}

const fusedMatMul: InferenceRule = (context) => {
  const a = inputAt(context, 0);
  const b = inputAt(context, 1);
  const seen = (shape: Shape, side: 'A' | 'B') => {
    const batchFirst = intAttribute(context, `transBatch${side}`, 0) ? firstBehindBatch(shape) : shape;
    return intAttribute(context, `trans${side}`, 0) ? swapLastTwo(batchFirst) : batchFirst;
  };
  return [{ type: a.type, shape: matMulShape(seen(a.shape, 'A'), seen(b.shape, 'B')) }];
};

/** [M, batch..., K] as [batch..., M, K] (com.microsoft, FusedMatMul, transBatchA). */
function firstBehindBatch(shape: Shape): Dim[] {
  return [...shape.slice(1, -1), ...shape.slice(0, 1), ...shape.slice(-1)];
}

function gemmShape(context: InferenceContext, a: Shape, b: Shape): Dim[] {
  if (a.length !== 2 || b.length !== 2)
    throw new ShapeError(`Gemm takes matrices, not ${formatShape(a)}, ${formatShape(b)}`);
  const left = intAttribute(context, 'transA', 0) ? swapLastTwo(a) : a;
  const right = intAttribute(context, 'transB', 0) ? swapLastTwo(b) : b;
  requireEqualDims(
    left[1],
    right[0],
    `inner dimensions of Gemm ${formatShape(left)} x ${formatShape(right)}`,
  );
  return [left[0], right[1]];
}

const gemm: InferenceRule = (context) => {
  const a = inputAt(context, 0);
  const shape = gemmShape(context, a.shape, inputAt(context, 1).shape);
  const c = context.inputs[2];
  if (c && broadcastShapes(shape, c.shape).length !== 2)
    throw new ShapeError(`Gemm bias ${formatShape(c.shape)}`);
  return [{ type: a.type, shape }];
};

export const MATRIX_RULES: Record<string, InferenceRule> = {
  MatMul: matMul(),
  Gemm: gemm,
  MatMulInteger: matMul('int32'),
  QLinearMatMul: (context) => [
    {
      type: inputAt(context, 7).type,
      shape: matMulShape(inputAt(context, 0).shape, inputAt(context, 3).shape),
    },
  ],
  'com.microsoft::FusedMatMul': fusedMatMul,
  'com.microsoft::DynamicQuantizeMatMul': matMul('float32'),
  'com.microsoft::MatMulIntegerToFloat': matMul('float32'),
};
