import type { Graph, Node, Value } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { usedValues } from '../../onnx/used-values.ts';

/** What a network computes between two exits. */
export interface Segment {
  /** In the graph's order. */
  readonly nodes: readonly Node[];
  /** The constants that no segment before reads. */
  readonly initializers: ReadonlyMap<Value, Tensor>;
}

/**
 * Cuts a graph into what its first values need, what the next ones need beside that, and so on.
 *
 * @param stops for each segment the values that it ends with
 */
export function segmentsOf(graph: Graph, stops: readonly (readonly Value[])[]): Segment[] {
  const producers = producersIn(graph);
  const done = new Set<Node>();
  const read = new Set<Value>();
  return stops.map((values) => {
    const own = new Set<Node>();
    const reads = new Set<Value>(values);
    for (const value of reads) {
      const node = producers.get(value);
      if (!node || done.has(node) || own.has(node)) continue;
      own.add(node);
      for (const used of usedValues(node)) reads.add(used);
    }
    const initializers = [...graph.initializers].filter(([value]) => reads.has(value) && !read.has(value));
    for (const node of own) done.add(node);
    for (const [value] of initializers) read.add(value);
    return { nodes: graph.nodes.filter((node) => own.has(node)), initializers: new Map(initializers) };
  });
}

export function producersIn(graph: Graph): Map<Value, Node> {
  return new Map(
    graph.nodes.flatMap((node) => node.outputs.flatMap((value) => (value ? [[value, node] as const] : []))),
  );
}
