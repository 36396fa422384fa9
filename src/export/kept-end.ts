import type { Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';

/**
 * A text model that sees the special tokens at the end of a text that was cut at `maxLength` tokens without them, as
 * transformers.js cuts (the reference, and our training, cut the text between its special tokens). A text with so many
 * tokens ends in them or was cut: in both cases `endIds` are what stands there.
 *
 * `input_ids` and `attention_mask`, int64 [batch, sequence], stay the inputs, padded on either side.
 */
export function withKeptEnd(
  graph: Graph,
  { endIds, maxLength }: { readonly endIds: readonly number[]; readonly maxLength: number },
): Graph {
  if (endIds.length === 0 || endIds.length >= maxLength) return graph;
  // A part of a model behind its embeddings.
  if (!graph.inputs.some(({ name }) => name === 'input_ids')) return graph;
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const { name, type, shape } of graph.inputs) {
    if (!type || !shape) throw new Error(`the input ${name} has no type or shape`);
    bound.set(name, g.input(name, type, shape));
  }
  const mask = bound.get('attention_mask') as TypedValue;
  const counted = g.mul(g.op('CumSum', [mask, g.scalar(1, 'int64')]), mask);
  let ids = bound.get('input_ids') as TypedValue;
  endIds.forEach((id, place) => {
    ids = g.where(g.equal(counted, maxLength - endIds.length + place + 1), id, ids);
  });
  bound.set('input_ids', ids);
  const values = g.inline(graph, bound);
  for (const { name } of graph.outputs) g.output(values.get(name) as TypedValue, name);
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  return g.build(graph.name);
}
