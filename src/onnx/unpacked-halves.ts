import type { Graph, Node, Value } from './graph.ts';
import { elementCount } from './tensor.ts';

/** Weights of 4 bits that ordinary operators unpack: where the levels are, two a byte, and how many numbers come of them. */
export interface UnpackedHalves {
  readonly levels: Value;
  /** Scales and zero points, which are no parameters. */
  readonly grids: readonly Value[];
  readonly numbers: number;
}

/** These lay numbers out in another way, or leave out those that fill up a row. */
const LAYING_OUT: ReadonlySet<string> = new Set(['Concat', 'Slice', 'Reshape', 'Transpose']);

/**
 * Finds constant bytes that are cut into halves (`Floor(Cast(bytes) / 16)`), centred (`Sub`), scaled (`Mul`) and laid out: how files
 * with 4-bit weights keep them that are expanded as they are loaded (`four-bit-weights.ts`).
 */
export function unpackedHalves(graph: Graph, producers: ReadonlyMap<Value, Node>): UnpackedHalves[] {
  const floors = graph.nodes.filter(({ opType, domain }) => opType === 'Floor' && domain === '');
  if (floors.length === 0) return [];
  const consumers = new Map<Value, Node[]>();
  for (const node of graph.nodes)
    for (const value of node.inputs) if (value) consumers.set(value, [...(consumers.get(value) ?? []), node]);
  return floors.flatMap((floor) => {
    const levels = bytesBehind(graph, producers, floor);
    const found = levels && expandedFrom(graph, producers, consumers, floor);
    return found ? [{ levels, ...found }] : [];
  });
}

function bytesBehind(graph: Graph, producers: ReadonlyMap<Value, Node>, { inputs }: Node): Value | undefined {
  const product = inputs[0] && producers.get(inputs[0]);
  const cast = product?.opType === 'Mul' && product.inputs[0] ? producers.get(product.inputs[0]) : undefined;
  const bytes = cast?.opType === 'Cast' ? cast.inputs[0] : undefined;
  return bytes && graph.initializers.get(bytes)?.type === 'uint8' ? bytes : undefined;
}

/** Follows upper halves through what centres, scales and lays them out. */
function expandedFrom(
  graph: Graph,
  producers: ReadonlyMap<Value, Node>,
  consumers: ReadonlyMap<Value, readonly Node[]>,
  floor: Node,
): Omit<UnpackedHalves, 'levels'> | undefined {
  // What upper halves are multiplied by is no parameter either.
  const grids = (consumers.get(floor.outputs[0] as Value) ?? []).flatMap(({ opType, inputs }) =>
    opType === 'Mul' && inputs[1] ? [inputs[1]] : [],
  );
  let at = floor.outputs[0] as Value;
  let isScaled = false;
  for (;;) {
    const next = (consumers.get(at) ?? []).find(
      ({ opType }) =>
        LAYING_OUT.has(opType) ||
        // The upper half is multiplied by 16 as well, and taken from the lower one.
        (!isScaled && opType === 'Sub' && at !== floor.outputs[0]) ||
        (!isScaled && opType === 'Mul' && at !== floor.outputs[0]),
    );
    if (!next?.outputs[0]) break;
    const [, other] = next.inputs;
    if (other && (next.opType === 'Sub' || next.opType === 'Mul')) grids.push(constantOf(producers, other));
    isScaled ||= next.opType === 'Mul';
    at = next.outputs[0];
  }
  const sizes = at.shape?.filter((size) => typeof size === 'number');
  const isKnown = isScaled && sizes !== undefined && sizes.length === at.shape?.length;
  return isKnown
    ? { grids: grids.filter((value) => graph.initializers.has(value)), numbers: elementCount(sizes) }
    : undefined;
}

/** A zero point is a byte that was cast. */
function constantOf(producers: ReadonlyMap<Value, Node>, value: Value): Value {
  const by = producers.get(value);
  return by?.opType === 'Cast' ? (by.inputs[0] ?? value) : value;
}
