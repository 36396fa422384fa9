import { stopGradient } from '../autodiff/stop-gradient.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** Added where a logarithm could meet 0. */
const TINY = 1e-12;

/** How hard a row is for the teacher: the entropy of its classes over ln(classes), 0 to 1. float32 [B] of logits [B, C]. */
export function complexity(g: GraphBuilder, teacher: TypedValue): TypedValue {
  const logs = g.logSoftmax(teacher);
  const entropy = g.neg(g.reduceSum(g.mul(g.exp(logs), logs), { axes: [1], keepDims: false }));
  return g.div(entropy, Math.log(Math.max(2, teacher.shape[1] as number)));
}

/**
 * How far student and teacher are apart on a row: the Jensen-Shannon divergence of their classes over ln 2, 0 to 1.
 * float32 [B] of logits [B, C]; no gradient flows through it.
 *
 * Lin, "Divergence Measures Based on the Shannon Entropy" (1991), section IV.
 */
export function divergence(g: GraphBuilder, student: TypedValue, teacher: TypedValue): TypedValue {
  const [p, q] = [stopGradient(g, student), teacher].map((logits) => {
    const logs = g.logSoftmax(logits);
    return { logs, values: g.exp(logs) };
  }) as [Distribution, Distribution];
  const middle = g.log(g.add(g.mul(g.add(p.values, q.values), 0.5), TINY));
  const part = ({ logs, values }: Distribution) => g.mul(values, g.sub(logs, middle));
  const sum = g.reduceSum(g.add(part(p), part(q)), { axes: [1], keepDims: false });
  return g.mul(sum, 0.5 / Math.LN2);
}

interface Distribution {
  readonly logs: TypedValue;
  readonly values: TypedValue;
}
