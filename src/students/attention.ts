import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** Added to the score of a token that must not be seen: its probability becomes 0. */
const HIDDEN_SCORE = -1e9;

export interface AttentionInputs {
  /** float32 [B, T, D], as are keys and values. */
  readonly query: TypedValue;
  readonly key: TypedValue;
  readonly value: TypedValue;
  readonly heads: number;
  readonly width: number;
  /**
   * Added to the scores [B, heads, T, T]: 0 for what may be seen, a large negative number for what may not. Absent where all may.
   */
  readonly bias?: TypedValue | undefined;
}

/**
 * Scaled dot-product attention in several heads (Vaswani et al., 2017, section 3.2): float32 [B, T, D].
 * The distributions [B, heads, T, T] are named `probabilities`.
 */
export function multiHeadAttention(
  g: GraphBuilder,
  { query, key, value, heads, width, bias }: AttentionInputs,
): TypedValue {
  const size = width / heads;
  const split = (x: TypedValue, perm: readonly number[]) =>
    g.transpose(g.reshape(x, [0, 0, heads, size]), perm);
  const products = g.matMul(split(query, [0, 2, 1, 3]), split(key, [0, 2, 3, 1]));
  const probabilities = distributions(g, products, size, bias);
  return joinHeads(g, g.matMul(probabilities, split(value, [0, 2, 1, 3])), width);
}

/** Of products of queries and keys of `size` numbers each, with a bias: [B, heads, T, T], named `probabilities`. */
export function distributions(
  g: GraphBuilder,
  products: TypedValue,
  size: number,
  bias: TypedValue | undefined,
): TypedValue {
  const scaled = g.mul(products, 1 / Math.sqrt(size));
  return g.identity(g.softmax(bias ? g.add(scaled, bias) : scaled), 'probabilities');
}

/** float32 [B, heads, T, size] as [B, T, heads * size]. */
export function joinHeads(g: GraphBuilder, context: TypedValue, width: number): TypedValue {
  return g.reshape(g.transpose(context, [0, 2, 1, 3]), [0, 0, width]);
}

/** The bias [B, 1, 1, T] that hides padding: of an attention mask int64 [B, T]. */
export function paddingBias(g: GraphBuilder, attentionMask: TypedValue): TypedValue {
  return g.unsqueeze(g.mul(g.sub(g.cast(attentionMask, 'float32'), 1), -HIDDEN_SCORE), [1, 2]);
}

/**
 * The bias [B, 1, Q, T] that hides padding and what comes later; `positions` are 0 to T - 1, int64 [T], `asking` those of the
 * tokens that look, int64 [Q]: all, where nothing is said.
 */
export function causalBias(
  g: GraphBuilder,
  attentionMask: TypedValue,
  positions: TypedValue,
  asking: TypedValue = positions,
): TypedValue {
  const past = g.lessOrEqual(g.unsqueeze(positions, [0]), g.unsqueeze(asking, [1]));
  const visible = g.and(past, g.unsqueeze(g.cast(attentionMask, 'bool'), [1, 2]));
  return g.where(visible, g.scalar(0), g.scalar(HIDDEN_SCORE));
}

/** Throws LimbeckError `recipe.invalid` when the heads do not divide the width. */
export function checkHeads(heads: number, width: number): void {
  if (width % heads === 0) return;
  throw new LimbeckError('recipe.invalid', `${heads} attention heads do not divide a width of ${width}`, {
    where: 'student.heads',
    remedy: 'Choose a width that is a multiple of heads.',
  });
}
