import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { rowSum } from './distributions.ts';

/**
 * The sum of those numbers of an answer [B, ...] that the teacher's answer has above 0 (of logits: what it says yes to), or of
 * its largest ones where it has none: float32 [B].
 *
 * Of a vector of length 1 the slope of the cosine to itself is 0 everywhere; the sum of the coordinates that the teacher turns
 * on is not constant on the sphere, and is one decision for both models, as the logit of a class is.
 */
export function positiveSum(g: GraphBuilder, answers: TypedValue, teacher: TypedValue): TypedValue {
  const axes = teacher.shape.slice(1).map((_, i) => i + 1);
  const highest = g.reduceMax(teacher, { axes });
  const chosen = g.cast(g.greaterOrEqual(teacher, g.min(highest, LEAST)), 'float32');
  return rowSum(g, g.mul(answers, chosen));
}

/** The smallest number that is above 0, as far as logits go. */
const LEAST = 1e-30;
