import type { Graph, Value } from '../graph.ts';
import { subgraphsOf } from '../used-values.ts';

/**
 * Throws when a graph breaks what every graph holds: each value has one definition and a name of its own, nodes
 * come after what they read, outputs are defined, initializers have the type and shape of their values.
 * For our own code (tests of passes, builders): a file is checked by `readModel`.
 */
export function checkGraph(graph: Graph): void {
  check(graph, new Map(), `graph '${graph.name}'`);
}

function check(graph: Graph, outer: ReadonlyMap<string, Value>, where: string): void {
  const scope = new Map(outer);
  const define = (value: Value, by: string) => {
    if (value.name === '') throw new Error(`${where}: ${by} has no name`);
    if (scope.has(value.name))
      throw new Error(`${where}: ${by}, '${value.name}', is not the only one of its name`);
    scope.set(value.name, value);
  };
  const read = (value: Value, by: string) => {
    const found = scope.get(value.name);
    if (!found) throw new Error(`${where}: ${by} reads '${value.name}' before anything defines it`);
    if (found !== value) throw new Error(`${where}: ${by} reads another '${value.name}' than the graph has`);
  };

  for (const value of graph.inputs) define(value, 'an input');
  for (const [value, tensor] of graph.initializers) {
    define(value, 'an initializer');
    if (value.type !== tensor.type || value.shape?.join() !== tensor.dims.join()) {
      throw new Error(
        `${where}: initializer '${value.name}' is ${tensor.type}[${tensor.dims}], ` +
          `its value ${value.type}[${value.shape}]`,
      );
    }
  }
  for (const node of graph.nodes) {
    const by = `node '${node.name}' (${node.opType})`;
    if (!graph.opsets.has(node.domain))
      throw new Error(`${where}: ${by} needs an opset for '${node.domain}'`);
    for (const value of node.inputs) if (value) read(value, by);
    for (const subgraph of subgraphsOf(node)) check(subgraph, scope, `${where}, ${by}`);
    for (const value of node.outputs) if (value) define(value, `an output of ${by}`);
  }
  for (const value of graph.outputs) read(value, 'an output');
  if (new Set(graph.outputs).size < graph.outputs.length)
    throw new Error(`${where}: an output is there twice`);
}
