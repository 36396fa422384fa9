import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** The places 0 to T - 1 of tokens [B, T], int64 [T]. */
export function tokenPositions(g: GraphBuilder, ids: TypedValue): TypedValue {
  const length = g.gather(g.shapeOf(ids), g.scalar(1, 'int64'));
  return g.op('Range', [g.scalar(0, 'int64'), length, g.scalar(1, 'int64')]);
}
