import type { Attribute, Graph, Node, Value } from './graph.ts';

/** The name that a value of a subgraph gets in the graph that it is copied into. */
export type RenameValue = (name: string) => string;

/**
 * A node's attributes for another graph: its subgraphs (the branches of an If, the body of a Loop) read the values
 * that `outer` puts in the place of those around them, and what they define has new names.
 */
export function copyAttributes(
  attributes: Node['attributes'],
  outer: ReadonlyMap<Value, Value>,
  rename: RenameValue,
): Map<string, Attribute> {
  return new Map(
    [...attributes].map(([name, attribute]): [string, Attribute] => {
      if (attribute.kind === 'graph')
        return [name, { kind: 'graph', value: copySubgraph(attribute.value, outer, rename) }];
      if (attribute.kind === 'graphs')
        return [
          name,
          { kind: 'graphs', value: attribute.value.map((graph) => copySubgraph(graph, outer, rename)) },
        ];
      return [name, attribute];
    }),
  );
}

function copySubgraph(graph: Graph, outer: ReadonlyMap<Value, Value>, rename: RenameValue): Graph {
  const mapped = new Map(outer);
  const define = (value: Value): Value => {
    const copy = { ...value, name: rename(value.name) };
    mapped.set(value, copy);
    return copy;
  };
  const read = (value: Value) => mapped.get(value) ?? value;
  const inputs = graph.inputs.map(define);
  const initializers = new Map([...graph.initializers].map(([value, tensor]) => [define(value), tensor]));
  const nodes = graph.nodes.map((node): Node => {
    const attributes = copyAttributes(node.attributes, mapped, rename);
    const reads = node.inputs.map((value) => value && read(value));
    const outputs = node.outputs.map((value) => value && define(value));
    // ONNX Runtime wants the names of nodes to differ, too, also between graphs.
    const name = node.name === '' ? '' : (outputs.find((value) => value)?.name ?? node.name);
    return { ...node, name, attributes, inputs: reads, outputs };
  });
  return { ...graph, inputs, initializers, nodes, outputs: graph.outputs.map(read) };
}
