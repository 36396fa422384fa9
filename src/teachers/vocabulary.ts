import type { Graph, Node, Value } from '../onnx/graph.ts';

/** Operators that hand ids, or a table, on: with other types, shapes or precision, but the same rows. */
const PASSING = new Set(['Cast', 'Identity', 'DequantizeLinear', 'Reshape', 'Unsqueeze', 'Squeeze', 'Clip']);

/**
 * How many ids a model embeds: the rows of the table that it gathers from by its ids. undefined when it looks them
 * up in a way that we do not recognize.
 */
export function embeddedVocabulary(graph: Graph, ids: Value): number | undefined {
  const producers = new Map<Value, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) if (output) producers.set(output, node);
  const origin = (value: Value | null | undefined): Value | undefined => {
    let current = value ?? undefined;
    for (;;) {
      const node: Node | undefined = current && producers.get(current);
      // What takes the place of some ids (an end token, say) is a constant.
      if (node?.opType === 'Where') current = node.inputs[2] ?? undefined;
      else if (node && PASSING.has(node.opType)) current = node.inputs[0] ?? undefined;
      else return current;
    }
  };
  for (const node of graph.nodes) {
    if (node.opType !== 'Gather' || origin(node.inputs[1]) !== ids) continue;
    const table = origin(node.inputs[0]);
    const rows = table && graph.initializers.get(table)?.dims[0];
    if (rows !== undefined) return rows;
  }
  return undefined;
}
