import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** The places 0 to T - 1 of tokens [B, T], int64 [T]. */
export function tokenPositions(g: GraphBuilder, ids: TypedValue): TypedValue {
  const length = g.gather(g.shapeOf(ids), g.scalar(1, 'int64'));
  return g.op('Range', [g.scalar(0, 'int64'), length, g.scalar(1, 'int64')]);
}

/**
 * The position of each token in its own text: the number of tokens before it, of an attention mask int64 [B, T]. On
 * whichever side a batch is padded, a text has the positions that it has alone; padding has that of a neighbour.
 */
export function positionsInText(g: GraphBuilder, attentionMask: TypedValue): TypedValue {
  return g.max(g.sub(g.op('CumSum', [attentionMask, g.scalar(1, 'int64')]), 1), 0);
}

/**
 * What `hidden`, float32 [B, T, D], has at the first token that the mask, int64 [B, T], keeps: [B, D]. Zeros for a text
 * without tokens. A product with ones and zeros, so that the value is that of the token to the last bit.
 */
export function firstToken(g: GraphBuilder, hidden: TypedValue, attentionMask: TypedValue): TypedValue {
  return chosenToken(g, hidden, attentionMask, 1);
}

/** The same at the last token that the mask keeps. */
export function lastToken(g: GraphBuilder, hidden: TypedValue, attentionMask: TypedValue): TypedValue {
  return chosenToken(g, hidden, attentionMask, g.reduceSum(attentionMask, { axes: [1] }));
}

function chosenToken(
  g: GraphBuilder,
  hidden: TypedValue,
  attentionMask: TypedValue,
  number: TypedValue | number,
): TypedValue {
  const counted = g.op('CumSum', [attentionMask, g.scalar(1, 'int64')]);
  const chosen = g.and(g.equal(counted, number), g.cast(attentionMask, 'bool'));
  return g.squeeze(g.matMul(g.unsqueeze(g.cast(chosen, 'float32'), [1]), hidden), [1]);
}
