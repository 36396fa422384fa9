import type { Graph, TypedValue, Value } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';

/**
 * The same graph with symbolic sizes replaced by numbers (`{ batch: 32, sequence: 64 }`) and every shape inferred
 * anew. Sizes that are not named stay symbolic.
 */
export function bindDims(graph: Graph, sizes: Readonly<Record<string, number>>): Graph {
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const input of graph.inputs) {
    if (!input.type || !input.shape) throw new Error(`input ${input.name} has no type or shape`);
    const shape = input.shape.map((dim) => (typeof dim === 'string' ? (sizes[dim] ?? dim) : dim));
    bound.set(input.name, g.input(input.name, input.type, shape));
  }
  const values = g.copy(graph, bound);
  for (const output of graph.outputs) g.output(values.get(output) as Value);
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  return g.build(graph.name);
}
