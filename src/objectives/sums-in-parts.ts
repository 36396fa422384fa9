import { withShape } from '../autodiff/broadcast.ts';
import { gradients } from '../autodiff/gradients.ts';
import { stopGradient } from '../autodiff/stop-gradient.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/**
 * Numbers of logits that are looked at together: few beside all of them, in no more parts than a session loads quickly. Of 16 million
 * logits `js` takes 4.5 times their memory so, and 11.1 times at once (`npx tsx scripts/measure-token-divergence.ts`).
 */
const PART = 2 ** 19;
const MOST_PARTS = 32;

export interface LogitParts {
  /** float32 [B, T, V], of static sizes. */
  readonly logits: TypedValue;
  /** Of the same shape; no gradient flows to them. */
  readonly others: readonly TypedValue[];
  /** float32 [B, T]: how much each token counts; no gradient flows to them. */
  readonly weights: TypedValue;
  /** Numbers of logits in a part, about. */
  readonly part?: number | undefined;
}

/**
 * For each row the sum of its tokens' losses by their weights, float32 [B], without a tensor of the size of the logits for each
 * step of the loss. Tokens are looked at part by part, and the gradient of a part is computed with its loss: then only the gradient,
 * which is as large as the logits, is kept from the loss to its backward pass. Each part is a few operators on slices, so that what
 * they make is freed before the next part begins.
 *
 * The gradient enters as a product of the logits with a constant, of which the value is taken away again: nothing is differentiated
 * twice.
 *
 * As the fused losses of Hsu et al., "Liger Kernel" (2024, arXiv 2410.10989), section 3.2, do it.
 *
 * @param lossOf the loss of each token of a part, float32 [n, V] and others -> [n]
 */
export function sumsInParts(
  g: GraphBuilder,
  { logits, others, weights, part }: LogitParts,
  lossOf: (logits: TypedValue, others: readonly TypedValue[]) => TypedValue,
): TypedValue {
  const [rows, length, classes] = logits.shape as [number, number, number];
  const tokens = rows * length;
  const flat = (x: TypedValue) => g.reshape(stopGradient(g, x), [tokens, classes]);
  const [own, given] = [flat(logits), others.map(flat)];
  const counts = g.reshape(stopGradient(g, weights), [tokens]);
  const numbers = part ?? Math.max(PART, Math.ceil((tokens * classes) / MOST_PARTS));
  const size = Math.max(1, Math.floor(numbers / classes));
  const losses: TypedValue[] = [];
  const slopes: TypedValue[] = [];
  let done: TypedValue | undefined;
  for (let from = 0; from < tokens; from += size) {
    const cut = (x: TypedValue) =>
      size >= tokens ? x : slice(g, x, [from, Math.min(from + size, tokens)], done);
    const mine = cut(own);
    const loss = g.mul(lossOf(mine, given.map(cut)), cut(counts));
    const [slope] = gradients(g, g.reduceSum(loss, { keepDims: false }), [mine]);
    if (!slope) throw new Error('a loss of logits that does not depend on them');
    losses.push(loss);
    slopes.push(slope);
    done = g.add(g.slice(loss, 0, 0, 1), g.slice(g.reshape(slope, [-1]), 0, 0, 1));
  }
  const joined = (parts: readonly TypedValue[]) =>
    parts.length === 1 ? (parts[0] as TypedValue) : g.concat(parts, 0);
  const sums = g.reduceSum(g.reshape(joined(losses), [rows, length]), { axes: [1], keepDims: false });
  // Products of matrices, whose gradient is a product of one number with the slopes.
  const kept = stopGradient(g, g.reshape(joined(slopes), [rows, 1, length * classes]));
  const product = g.matMul(kept, g.reshape(logits, [rows, length * classes, 1]));
  const moving = g.reshape(product, [rows]);
  return g.add(stopGradient(g, sums), g.sub(moving, stopGradient(g, moving)));
}

/**
 * A slice that is not taken before another value is there: ONNX Runtime orders operators by what they need, and would begin all parts
 * before it has finished one.
 */
function slice(
  g: GraphBuilder,
  x: TypedValue,
  [from, to]: readonly [number, number],
  after: TypedValue | undefined,
): TypedValue {
  if (!after) return g.slice(x, 0, from, to);
  // 0, whatever the value is; of a constant that would be known beforehand.
  const zero = g.cast(g.op('And', [g.op('IsNaN', [after]), g.op('IsInf', [after])]), 'int64');
  const start = g.add(zero, g.ints([from]));
  const part = g.op('Slice', [x, start, g.ints([to]), g.ints([0])]);
  return withShape(part, [to - from, ...x.shape.slice(1)]);
}
