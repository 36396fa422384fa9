import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** The mean of [B, channels, H, W] over all places, named `pooled` [B, channels]. */
export function pooled(g: GraphBuilder, x: TypedValue): TypedValue {
  return g.identity(g.op('Flatten', [g.op('GlobalAveragePool', [x])]), 'pooled');
}
