import type { TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';

/** The logit of one class of each row: logits [B, C], classes int64 [B] -> [B]. */
export function classLogit(g: GraphBuilder, logits: TypedValue, classes: TypedValue): TypedValue {
  return g.squeeze(g.gatherElements(logits, g.unsqueeze(classes, [1]), 1), [1]);
}

/** The class with the largest logit of each row, int64 [B]; of several that tie, the first. */
export function topClass(g: GraphBuilder, logits: TypedValue): TypedValue {
  return g.argMax(logits);
}

/** The class with the largest logit but `first`, int64 [B]. */
export function secondClass(g: GraphBuilder, logits: TypedValue, first: TypedValue): TypedValue {
  const isFirst = g.oneHot(first, logits.shape[1] as number);
  return g.argMax(g.where(g.greater(isFirst, 0), LOWEST, logits));
}

/** Below every logit. */
const LOWEST = -3e38;
