import type { Graph } from '../graph.ts';
import { operatorKey } from '../shape-inference/rules.ts';

/** Operators that attend inside, with no value for the distributions. */
const FUSED: ReadonlySet<string> = new Set([
  'Attention',
  ...[
    'Attention',
    'MultiHeadAttention',
    'GroupQueryAttention',
    'PackedAttention',
    'PackedMultiHeadAttention',
    'DecoderAttention',
    'DecoderMaskedSelfAttention',
    'DecoderMaskedMultiHeadAttention',
    'QAttention',
    'QOrderedAttention',
    'LongformerAttention',
    'SparseAttention',
    'PagedAttention',
  ].map((name) => `com.microsoft::${name}`),
]);

/** The operators of a graph that hide attention, each kind once: those of forms that could not be taken apart. */
export function fusedAttention(graph: Graph): string[] {
  const keys = graph.nodes.map(({ domain, opType }) => operatorKey(domain, opType));
  return [...new Set(keys.filter((key) => FUSED.has(key)))];
}

/** How a person gets at attention that operators hide. */
export const UNFUSE_REMEDY =
  "Export the model with attn_implementation='eager' and without ONNX Runtime's transformer optimizer, or leave attention out.";
