import type { Graph, Value } from '../graph.ts';
import { replaceReads } from '../replace-values.ts';

/** The same graph with another name for one of the values that its nodes compute. The name has to be free. */
export function renameValue(graph: Graph, value: Value, name: string): Graph {
  const renamed: Value = { ...value, name };
  const replacements = new Map([[value, renamed]]);
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...replaceReads(node, replacements),
      // Many exporters, and we, call a node as its output.
      name: node.outputs.includes(value) && node.name === value.name ? name : node.name,
      outputs: node.outputs.map((output) => (output === value ? renamed : output)),
    })),
    outputs: graph.outputs.map((output) => (output === value ? renamed : output)),
  };
}
