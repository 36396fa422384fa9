import type { Node, Value } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

interface Known {
  /** How many nodes of the builder have been looked at. */
  count: number;
  readonly nodes: Map<Value, Node>;
}

const known = new WeakMap<GraphBuilder, Known>();

/** The node that computes a value; undefined for inputs and initializers. */
export function producerOf(g: GraphBuilder, value: Value): Node | undefined {
  let entry = known.get(g);
  if (!entry) {
    entry = { count: 0, nodes: new Map() };
    known.set(g, entry);
  }
  for (; entry.count < g.nodes.length; entry.count++) {
    const node = g.nodes[entry.count];
    for (const output of node?.outputs ?? []) if (node && output) entry.nodes.set(output, node);
  }
  return entry.nodes.get(value);
}
