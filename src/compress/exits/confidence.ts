import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';

/** What tells how sure an answer is. */
export const CONFIDENCES = ['probability', 'margin', 'entropy'] as const;
export type Confidence = (typeof CONFIDENCES)[number];

/**
 * How sure answers are: of logits float32 [batch, classes] a number for each row, float32 [batch], from 0 to 1.
 *
 * `probability` is that of the answer; `margin` how much larger it is than that of the second answer; `entropy` is 1 - H / log C,
 * for H the entropy of the C probabilities (as in Teerapittayanon, McDanel and Kung, "BranchyNet", 2016).
 */
export function confidenceOf(g: GraphBuilder, logits: TypedValue, kind: Confidence): TypedValue {
  if (kind === 'entropy') {
    const classes = logits.shape[1] as number;
    const log = g.logSoftmax(logits);
    const negative = g.reduceSum(g.mul(g.exp(log), log), { axes: [1], keepDims: false });
    return g.add(g.mul(negative, 1 / Math.log(classes)), 1);
  }
  const probabilities = g.softmax(logits);
  if (kind === 'probability') return g.reduceMax(probabilities, { axes: [1], keepDims: false });
  const [best] = g.node('TopK', [probabilities, g.ints([2])], { axis: -1 }, { outputs: 2 });
  const nth = (place: number) => g.squeeze(g.slice(best, 1, place, place + 1), [1]);
  return g.sub(nth(0), nth(1));
}
