import type { Graph, Node, Value } from './graph.ts';

/** The graphs among a node's attributes: branches of an If, the body of a Loop. */
export function subgraphsOf(node: Node): Graph[] {
  const graphs: Graph[] = [];
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === 'graph') graphs.push(attribute.value);
    else if (attribute.kind === 'graphs') graphs.push(...attribute.value);
  }
  return graphs;
}

/** All values that a node needs: its inputs, and what its subgraphs take from around them. */
export function usedValues(node: Node): Iterable<Value> {
  const subgraphs = subgraphsOf(node);
  const used = new Set<Value>();
  for (const value of node.inputs) if (value) used.add(value);
  for (const graph of subgraphs) for (const value of capturedValues(graph)) used.add(value);
  return used;
}

/** The values that a subgraph uses and does not define. */
export function capturedValues(graph: Graph): Set<Value> {
  const defined = new Set<Value>([...graph.inputs, ...graph.initializers.keys()]);
  const captured = new Set<Value>();
  for (const node of graph.nodes) for (const value of node.outputs) if (value) defined.add(value);
  for (const node of graph.nodes) {
    for (const value of usedValues(node)) if (!defined.has(value)) captured.add(value);
  }
  for (const value of graph.outputs) if (!defined.has(value)) captured.add(value);
  return captured;
}
