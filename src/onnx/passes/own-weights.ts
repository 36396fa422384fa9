import type { Graph, Node, Value } from '../graph.ts';
import type { Tensor } from '../tensor.ts';
import { weightLayout } from '../weight-layout.ts';

/** Gives every layer weights of its own where several read the same: batch normalisations can then be folded into each. */
export function withOwnWeights(graph: Graph): Graph {
  const initializers = new Map<Value, Tensor>(graph.initializers);
  const names = new Set([...initializers.keys(), ...graph.inputs].map(({ name }) => name));
  for (const { outputs } of graph.nodes) for (const value of outputs) if (value) names.add(value.name);
  const read = new Set<Value>();
  const nodes = graph.nodes.map((node): Node => {
    const [input, weight, ...rest] = node.inputs;
    const content = weight && graph.initializers.get(weight);
    if (!input || !weight || !content || !weightLayout(node, content.dims)) return node;
    if (!read.has(weight)) {
      read.add(weight);
      return node;
    }
    let name = weight.name;
    for (let count = 1; names.has(name); count++) name = `${weight.name}_${count}`;
    names.add(name);
    const own: Value = { ...weight, name };
    initializers.set(own, content);
    return { ...node, inputs: [input, own, ...rest] };
  });
  return { ...graph, nodes, initializers };
}
