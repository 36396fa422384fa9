import { type AttributeInits, toAttributes } from '../attributes.ts';
import type { Graph, Node, Value } from '../graph.ts';
import type { Tensor } from '../tensor.ts';

/** A value by its name, for tests that build graphs by hand: float32 [2, 3] unless said otherwise. */
export function valueNamed(
  name: string,
  type: Value['type'] = 'float32',
  shape: Value['shape'] = [2, 3],
): Value {
  return { name, type, shape };
}

/** A node called after its operator and first output. */
export function nodeOf(
  opType: string,
  inputs: Node['inputs'],
  outputs: Node['outputs'],
  attributes: AttributeInits = {},
): Node {
  return {
    name: `${opType}:${outputs[0]?.name}`,
    opType,
    domain: '',
    inputs,
    outputs,
    attributes: toAttributes(attributes),
  };
}

/** A graph of opset 18 over these nodes; the initializers' values get their tensors' types. */
export function graphOf(
  inputs: readonly Value[],
  nodes: readonly Node[],
  outputs: readonly Value[],
  initializers: readonly (readonly [Value, Tensor])[] = [],
): Graph {
  return {
    name: 'g',
    inputs,
    outputs,
    nodes,
    initializers: new Map(initializers),
    opsets: new Map([['', 18]]),
    metadata: new Map(),
  };
}

/** The operators of a graph, in order. */
export function operatorsOf(graph: Graph): string[] {
  return graph.nodes.map((node) => node.opType);
}
