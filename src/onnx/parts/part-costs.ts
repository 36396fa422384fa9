import { bytesPerElement } from '../data-type.ts';
import type { Graph, Node, TypedValue, Value } from '../graph.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { tensorByteLength } from '../stored-tensor.ts';
import { elementCount } from '../tensor.ts';
import { usedValues } from '../used-values.ts';

/** What the values and weights of a graph take when it runs, by the place of its nodes. */
export interface GraphCosts {
  /** The bytes of each value for one run; undefined where its shape cannot be told. */
  readonly bytes: ReadonlyMap<Value, number | undefined>;
  /** The initializers that each node reads, with what its subgraphs take from around them. */
  readonly weights: readonly (readonly Value[])[];
  /** The place of the node that makes a value; inputs and initializers have none. */
  readonly madeAt: ReadonlyMap<Value, number>;
  /** The place of the last node that reads a value. */
  readonly lastReadAt: ReadonlyMap<Value, number>;
  /** What lives while a node runs: values that were made and are still read, and what it makes. */
  readonly live: readonly number[];
}

/**
 * Looks at what a run takes.
 *
 * @param shapes of the inputs, by name, as they are fed; the first size is that of the batch
 */
export function graphCosts(graph: Graph, shapes: ReadonlyMap<string, readonly number[]>): GraphCosts {
  const bytes = valueBytes(graph, shapes);
  const madeAt = new Map<Value, number>();
  const lastReadAt = new Map<Value, number>();
  const weights = graph.nodes.map((node, at) => {
    const own: Value[] = [];
    for (const value of usedValues(node)) {
      if (graph.initializers.has(value)) own.push(value);
      lastReadAt.set(value, at);
    }
    for (const value of node.outputs) if (value) madeAt.set(value, at);
    return own;
  });
  return { bytes, weights, madeAt, lastReadAt, live: liveBytes(graph.nodes, bytes, lastReadAt) };
}

function valueBytes(
  graph: Graph,
  shapes: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<Value, number | undefined> {
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const { name, type } of graph.inputs) {
    const shape = shapes.get(name);
    if (!type || !shape) throw new Error(`what is fed to the input ${name} is not known`);
    bound.set(name, g.input(name, type, shape));
  }
  const bytes = new Map<Value, number | undefined>();
  for (const [value, { type, shape }] of g.copy(graph, bound)) {
    const isKnown = type && shape?.every((dim): dim is number => typeof dim === 'number');
    bytes.set(value, isKnown ? elementCount(shape as number[]) * bytesPerElement(type) : undefined);
  }
  for (const [value, tensor] of graph.initializers) bytes.set(value, tensorByteLength(tensor));
  return bytes;
}

function liveBytes(
  nodes: readonly Node[],
  bytes: ReadonlyMap<Value, number | undefined>,
  lastReadAt: ReadonlyMap<Value, number>,
): number[] {
  const ends = nodes.map((): Value[] => []);
  let live = 0;
  return nodes.map((node, at) => {
    for (const value of node.outputs) {
      if (!value) continue;
      live += bytes.get(value) ?? 0;
      ends[Math.max(at, lastReadAt.get(value) ?? at)]?.push(value);
    }
    const most = live;
    for (const value of ends[at] as Value[]) live -= bytes.get(value) ?? 0;
    return most;
  });
}
