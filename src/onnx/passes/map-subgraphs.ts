import type { Attribute, Graph, Node } from '../graph.ts';
import { subgraphsOf } from '../used-values.ts';

/** A node with each graph that it holds (branches of an If, the body of a Loop) put in another form. */
export function mapSubgraphs(node: Node, change: (graph: Graph) => Graph): Node {
  if (subgraphsOf(node).length === 0) return node;
  const attributes = [...node.attributes].map(([name, attribute]): [string, Attribute] => {
    if (attribute.kind === 'graph') return [name, { kind: 'graph', value: change(attribute.value) }];
    if (attribute.kind === 'graphs') return [name, { kind: 'graphs', value: attribute.value.map(change) }];
    return [name, attribute];
  });
  return { ...node, attributes: new Map(attributes) };
}
