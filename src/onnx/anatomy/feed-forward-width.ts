import type { Graph, Node, Value } from '../graph.ts';

/**
 * How many numbers the feed-forward block before a hidden state has inside: those that the last product with a matrix of weights on
 * the way to it reads, as its input's own width. Undefined where there is none.
 *
 * @param hidden the name of the state at the end of a layer (`describeModel`)
 */
export function feedForwardWidth(graph: Graph, hidden: string): number | undefined {
  const producers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)),
  );
  const places = new Map(graph.nodes.map((node, place) => [node, place]));
  const end = graph.nodes.find(({ outputs }) => outputs.some((value) => value?.name === hidden));
  const before = new Set<Node>(end ? [end] : []);
  let last: { readonly place: number; readonly width: number } | undefined;
  for (const node of before) {
    const place = places.get(node) as number;
    // What comes before a product that was found is not the last one.
    if (last && place < last.place) continue;
    const width = readWidth(graph, producers, node);
    if (width !== undefined) last = { place, width };
    for (const value of node.inputs) {
      const producer = value && producers.get(value);
      if (producer) before.add(producer);
    }
  }
  return last?.width;
}

/** The rows of the matrix of weights that a product multiplies with; of one in two factors, those of the first. */
function readWidth(
  graph: Graph,
  producers: ReadonlyMap<Value | null, Node>,
  { opType, inputs }: Node,
): number | undefined {
  if (opType !== 'MatMul' && opType !== 'Gemm') return undefined;
  const [data, weight] = inputs;
  if (!data || !weight) return undefined;
  const source = graph.initializers.get(weight) ? weight : producers.get(weight)?.inputs[0];
  const dims = source ? graph.initializers.get(source)?.dims : undefined;
  if (dims?.length !== 2) return undefined;
  const first = /\/second$/.test(source?.name ?? '') ? producers.get(data) : undefined;
  const before = first && readWidth(graph, producers, first);
  if (before !== undefined) return before;
  const own = data.shape?.at(-1);
  return typeof own === 'number' ? own : dims[0];
}
