import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';

/** One side of a matrix product. */
export interface Factor {
  readonly value: TypedValue;
  /** Whether its last two axes are swapped. */
  readonly transposed: boolean;
}

/**
 * alpha a x b, leading axes broadcast. Transposes become flags: Gemm for two matrices (standard, any float type),
 * FusedMatMul for batches of float32, and a Transpose only where neither does.
 */
export function multiply(g: GraphBuilder, a: Factor, b: Factor, alpha = 1): TypedValue {
  if (a.value.shape.length === 2 && b.value.shape.length === 2) {
    return g.gemm(a.value, b.value, null, {
      transA: a.transposed,
      transB: b.transposed,
      alpha: alpha === 1 ? undefined : alpha,
    });
  }
  if (a.value.type === 'float32' && (a.transposed || b.transposed || alpha !== 1)) {
    return g.fusedMatMul(a.value, b.value, {
      transA: a.transposed,
      transB: b.transposed,
      alpha: alpha === 1 ? undefined : alpha,
    });
  }
  const plain = ({ value, transposed }: Factor) => (transposed ? swapLastTwo(g, value) : value);
  const result = g.matMul(plain(a), plain(b));
  return alpha === 1 ? result : g.mul(result, alpha);
}

function swapLastTwo(g: GraphBuilder, x: TypedValue): TypedValue {
  const last = x.shape.length - 1;
  return g.transpose(
    x,
    x.shape.map((_, i) => (i === last ? last - 1 : i === last - 1 ? last : i)),
  );
}
