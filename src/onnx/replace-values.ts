import type { Attribute, Graph, Node, Value } from './graph.ts';
import { subgraphsOf } from './used-values.ts';

/**
 * Makes nodes (and the subgraphs inside them) read other values. A replacement is looked up once: it is not
 * replaced in turn. What nodes define is left as it is.
 */
export function replaceReads(node: Node, replacements: ReadonlyMap<Value, Value>): Node {
  if (replacements.size === 0) return node;
  const inputs = node.inputs.map((value) => (value && replacements.get(value)) ?? value);
  const attributes =
    subgraphsOf(node).length > 0 ? inAttributes(node.attributes, replacements) : node.attributes;
  const same = attributes === node.attributes && inputs.every((value, i) => value === node.inputs[i]);
  return same ? node : { ...node, inputs, attributes };
}

/** The same for a whole graph: its nodes and its outputs. */
function replaceGraphReads(graph: Graph, replacements: ReadonlyMap<Value, Value>): Graph {
  if (replacements.size === 0) return graph;
  return {
    ...graph,
    nodes: graph.nodes.map((node) => replaceReads(node, replacements)),
    outputs: graph.outputs.map((value) => replacements.get(value) ?? value),
  };
}

function inAttributes(
  attributes: ReadonlyMap<string, Attribute>,
  replacements: ReadonlyMap<Value, Value>,
): Map<string, Attribute> {
  return new Map(
    [...attributes].map(([name, attribute]): [string, Attribute] => {
      if (attribute.kind === 'graph') {
        return [name, { kind: 'graph', value: replaceGraphReads(attribute.value, replacements) }];
      }
      if (attribute.kind === 'graphs') {
        const value = attribute.value.map((graph) => replaceGraphReads(graph, replacements));
        return [name, { kind: 'graphs', value }];
      }
      return [name, attribute];
    }),
  );
}
