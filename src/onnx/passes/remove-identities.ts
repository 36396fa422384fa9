import { DATA_TYPE_CODES } from '../data-type.ts';
import { type Graph, intAttribute, type Node, type Value } from '../graph.ts';
import { replaceReads } from '../replace-values.ts';
import type { Tensor } from '../tensor.ts';
import { usedValues } from '../used-values.ts';

/**
 * Removes nodes that hand on their input: Identity, a Cast to the type that a value has, Dropout of a model that
 * infers. The graph's outputs keep their names: an identity in front of an output stays, because its input may
 * have a name that someone taps.
 */
export function removeIdentities(graph: Graph): Graph {
  const opset = graph.opsets.get('') ?? 0;
  const outputs = new Set(graph.outputs);
  const read = new Set<Value>();
  for (const node of graph.nodes) for (const value of usedValues(node)) read.add(value);

  const replacements = new Map<Value, Value>();
  const nodes: Node[] = [];
  for (const original of graph.nodes) {
    const node = replaceReads(original, replacements);
    const [input] = node.inputs;
    const [output, mask] = node.outputs;
    const maskUsed = mask && (read.has(mask) || outputs.has(mask));
    if (input && output && !maskUsed && !outputs.has(output) && handsOn(node, opset, graph.initializers)) {
      replacements.set(output, input);
    } else {
      nodes.push(node);
    }
  }
  return nodes.length === graph.nodes.length ? graph : { ...graph, nodes };
}

function handsOn(node: Node, opset: number, initializers: ReadonlyMap<Value, Tensor>): boolean {
  if (node.domain !== '') return false;
  switch (node.opType) {
    case 'Identity':
      return true;
    case 'Cast': {
      const type = node.inputs[0]?.type;
      return type !== undefined && DATA_TYPE_CODES[type] === intAttribute(node, 'to', 0);
    }
    case 'Dropout': {
      // Opset 7 to 11: always inference. Before, an attribute says; from 12 on, an input that is false when absent.
      if (opset < 7) return intAttribute(node, 'is_test', 0) !== 0;
      const training = node.inputs[2];
      return !training || initializers.get(training)?.data[0] === 0;
    }
    default:
      return false;
  }
}
