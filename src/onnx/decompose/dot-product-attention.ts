import type { TypedValue } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';

export interface AttentionOptions {
  /** What the products are multiplied by, 1 / sqrt(H) by default. */
  readonly scale?: number;
  /** Added to the scores, broadcast to [B, N, S, T]; one after another. */
  readonly biases?: readonly (TypedValue | null | undefined)[];
  /** Added where a key comes after its query. */
  readonly causal?: number | null;
  /** int64 []: how many keys come before the first query; T - S by default. */
  readonly before?: TypedValue;
  /** Whether a query may see no key: it gets zeros then, and so do its gradients. */
  readonly mayBeAlone?: boolean;
  /** Scores are limited to softcap tanh(score / softcap). */
  readonly softcap?: number;
}

export interface AttentionResult {
  /** [B, N, S, H of the values]. */
  readonly y: TypedValue;
  /** [B, N, S, T]: the products, limited, with the biases, and what the softmax makes of them. */
  readonly products: TypedValue;
  readonly limited: TypedValue;
  readonly scores: TypedValue;
  readonly weights: TypedValue;
}

/**
 * softmax(scale q k^T + biases) v (Vaswani et al. 2017), of queries [B, N, S, H] and keys and values [B, N, T, H].
 */
export function attend(
  g: GraphBuilder,
  q: TypedValue,
  k: TypedValue,
  v: TypedValue,
  options: AttentionOptions = {},
): AttentionResult {
  const scale = options.scale || 1 / Math.sqrt(Number(q.shape[3]));
  const products =
    q.type === 'float32'
      ? g.fusedMatMul(q, k, { transB: true, alpha: scale })
      : g.matMul(g.mul(q, scale), g.transpose(k, [0, 1, 3, 2]));
  const { softcap = 0, causal = null } = options;
  const limited = softcap > 0 ? g.mul(g.tanh(g.div(products, softcap)), softcap) : products;
  let scores = limited;
  for (const bias of options.biases ?? []) if (bias) scores = g.add(scores, bias);
  if (causal !== null) scores = g.add(scores, causalBias(g, q, k, causal, options.before));
  const weights = options.mayBeAlone ? softmaxOfSeen(g, scores) : g.softmax(scores, -1);
  return { y: g.matMul(weights, v), products, limited, scores, weights };
}

/** What ONNX Runtime and PyTorch make of a row of scores that are all minus infinity (or the lowest number): zeros. */
function softmaxOfSeen(g: GraphBuilder, scores: TypedValue): TypedValue {
  const lowest = g.scalar(LOWEST[scores.type] ?? LOWEST.float32!, scores.type);
  const alone = g.lessOrEqual(g.op('ReduceMax', [scores, g.ints([-1])], { keepdims: 1 }), lowest);
  const zero = g.scalar(0, scores.type);
  // No row that goes into the softmax is without a number: its gradient would be none.
  return g.where(alone, zero, g.softmax(g.where(alone, zero, scores), -1));
}

const LOWEST: Partial<Record<TypedValue['type'], number>> = {
  float16: -65504,
  float32: -3.4028234663852886e38,
  float64: -1.7976931348623157e308,
  bfloat16: -3.3895313892515355e38,
};

/** [S, T]: 0 where a key may be seen, `masked` where it comes after its query. */
export function causalBias(
  g: GraphBuilder,
  q: TypedValue,
  k: TypedValue,
  masked: number,
  offset?: TypedValue,
): TypedValue {
  const length = (x: TypedValue) => g.op('Shape', [x], { start: 2, end: 3 });
  const before = offset ?? g.reshape(g.sub(length(k), length(q)), []);
  const one = { type: 'float32', dims: [1], data: Float32Array.of(1) } as const;
  const ones = g.op('ConstantOfShape', [g.concat([length(q), length(k)], 0)], { value: one });
  const seen = g.op('Trilu', [ones, before], { upper: 0 });
  return g.where(g.greater(seen, 0), g.scalar(0, q.type), g.scalar(masked, q.type));
}

/** More than any model has. */
const MAX_REPEATS = 1024;

/** Keys or values of fewer heads, each repeated for a group of neighbouring query heads (Ainslie et al. 2023). */
export function repeatHeads(g: GraphBuilder, x: TypedValue, times: number): TypedValue {
  if (times === 1) return x;
  if (!(times <= MAX_REPEATS)) throw new Error(`${times} query heads for each head of the keys`);
  const [heads, size] = [Number(x.shape[1]), Number(x.shape[3])];
  const copies = g.concat(Array<TypedValue>(times).fill(g.unsqueeze(x, [2])), 2);
  const sequence = g.op('Shape', [x], { start: 2, end: 3 });
  const batch = g.op('Shape', [x], { start: 0, end: 1 });
  return typeof x.shape[2] === 'number'
    ? g.reshape(copies, [0, heads * times, x.shape[2], size])
    : g.op('Reshape', [copies, g.concat([batch, g.ints([heads * times]), sequence, g.ints([size])], 0)]);
}
