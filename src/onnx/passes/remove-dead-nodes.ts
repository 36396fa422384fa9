import type { Graph, Node, Value } from '../graph.ts';
import { usedValues } from '../used-values.ts';

/**
 * Removes nodes and initializers that no output needs. Inputs stay (they are the graph's signature); an optional
 * output that nothing reads stays on its node, because for some operators it decides what is computed.
 */
export function removeDeadNodes(graph: Graph): Graph {
  const needed = new Set<Value>(graph.outputs);
  const alive: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!node.outputs.some((value) => value && needed.has(value))) continue;
    alive.push(node);
    for (const value of usedValues(node)) needed.add(value);
  }
  const initializers = new Map([...graph.initializers].filter(([value]) => needed.has(value)));
  if (alive.length === graph.nodes.length && initializers.size === graph.initializers.size) return graph;
  return { ...graph, nodes: alive.reverse(), initializers };
}
