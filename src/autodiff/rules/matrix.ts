import { floatAttribute, intAttribute, type TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { range, reduceTo, reshapeLike, scale } from '../broadcast.ts';
import { type GradientCall, type GradientRule, gradientOf, inputOf, UnsupportedGradient } from '../rule.ts';
import { countAlong, reshapeTo, sizeOf, sizesOf } from '../sizes.ts';
import { type Factor, multiply } from './multiply.ts';

/**
 * d a and d b of y = alpha op(a) op(b), where op transposes or not, for any ranks. Transposes become flags of the
 * products; a weight under a batch of inputs gets its gradient from one product over all rows.
 */
function productGradients(
  call: GradientCall,
  transA: boolean,
  transB: boolean,
  alpha: number,
): [TypedValue | null, TypedValue | null] {
  const { g } = call;
  const [a, b] = [inputOf(call, 0), inputOf(call, 1)];
  const dy = gradientOf(call);
  const [needsA, needsB] = [call.needs(0), call.needs(1)];

  if (a.shape.length === 1 || b.shape.length === 1) return vectorGradients(call, alpha);

  const shared = !transA && a.shape.length > 2 && b.shape.slice(0, -2).every((dim) => dim === 1);
  if (shared && b.shape.length <= a.shape.length) {
    // [..., T, D] x [D, H]: all leading axes are rows of one product.
    const matrix = b.shape.length > 2 ? reshapeTo(g, b, sizesOf(g, b).slice(-2)) : b;
    const rowsOf = (x: TypedValue) => asRows(g, x);
    const dRows = rowsOf(dy);
    const da = () => reshapeLike(g, multiply(g, factor(dRows), factor(matrix, !transB), alpha), a);
    const db = () => {
      const rows = factor(rowsOf(a));
      const d = transB
        ? multiply(g, factor(dRows, true), rows, alpha)
        : multiply(g, factor(rows.value, true), factor(dRows), alpha);
      return reshapeLike(g, d, b);
    };
    return [needsA ? da() : null, needsB ? db() : null];
  }
  const da = () =>
    transA
      ? multiply(g, factor(b, transB), factor(dy, true), alpha)
      : multiply(g, factor(dy), factor(b, !transB), alpha);
  const db = () =>
    transB
      ? multiply(g, factor(dy, true), factor(a, transA), alpha)
      : multiply(g, factor(a, !transA), factor(dy), alpha);
  return [needsA ? reduceTo(g, da(), a) : null, needsB ? reduceTo(g, db(), b) : null];
}

/** numpy's vectors: [K] x [..., K, N] and [..., M, K] x [K], as matrices with one row or column. */
function vectorGradients(call: GradientCall, alpha: number): [TypedValue | null, TypedValue | null] {
  const { g } = call;
  const [a, b] = [inputOf(call, 0), inputOf(call, 1)];
  const dy = scale(g, gradientOf(call), alpha);
  if (a.shape.length === 1 && b.shape.length === 1) {
    return [call.needs(0) ? g.mul(dy, b) : null, call.needs(1) ? g.mul(dy, a) : null];
  }
  if (b.shape.length === 1) {
    const column = g.unsqueeze(dy, [-1]);
    const da = () => g.mul(column, b);
    const db = () => {
      const rows = asRows(g, a);
      const flat = g.reshape(dy, [-1, 1]);
      return reshapeLike(g, multiply(g, factor(rows, true), factor(flat)), b);
    };
    return [call.needs(0) ? da() : null, call.needs(1) ? db() : null];
  }
  const row = g.unsqueeze(dy, [-2]);
  const da = () => {
    const products = multiply(g, factor(row), factor(b, true));
    return reduceTo(g, g.squeeze(products, [-2]), a);
  };
  const db = () => g.mul(g.unsqueeze(a, [-1]), row);
  return [call.needs(0) ? da() : null, call.needs(1) ? db() : null];
}

function factor(value: TypedValue, transposed = false): Factor {
  return { value, transposed };
}

/** As a matrix: all axes but the last are rows. */
function asRows(g: GraphBuilder, x: TypedValue): TypedValue {
  const last = x.shape.length - 1;
  const width = x.shape[last];
  if (typeof width === 'number' && width !== 0) return g.reshape(x, [-1, width]);
  return reshapeTo(g, x, [countAlong(g, x, range(last)), sizeOf(g, x, last)]);
}

const matMul: GradientRule = (call) => productGradients(call, false, false, 1);

const fusedMatMul: GradientRule = (call) => {
  const { node } = call;
  if (intAttribute(node, 'transBatchA', 0) || intAttribute(node, 'transBatchB', 0)) {
    throw new UnsupportedGradient('transBatchA and transBatchB');
  }
  const flag = (name: string) => intAttribute(node, name, 0) === 1;
  return productGradients(call, flag('transA'), flag('transB'), floatAttribute(node, 'alpha', 1));
};

const gemm: GradientRule = (call) => {
  const { g, node } = call;
  const flag = (name: string) => intAttribute(node, name, 0) === 1;
  const [da, db] = productGradients(call, flag('transA'), flag('transB'), floatAttribute(node, 'alpha', 1));
  const c = call.inputs[2];
  const beta = floatAttribute(node, 'beta', 1);
  return [da, db, c && call.needs(2) ? scale(g, reduceTo(g, gradientOf(call), c), beta) : null];
};

export const MATRIX_RULES: Record<string, GradientRule> = {
  MatMul: matMul,
  Gemm: gemm,
  'com.microsoft::FusedMatMul': fusedMatMul,
};
