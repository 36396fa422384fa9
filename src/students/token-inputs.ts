import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** The inputs of a model over tokens: `input_ids` and `attention_mask`, int64 [batch, sequence]. */
export function tokenInputs(g: GraphBuilder): { ids: TypedValue; attentionMask: TypedValue } {
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const attentionMask = g.input('attention_mask', 'int64', ['batch', 'sequence']);
  return { ids, attentionMask };
}
