import type { Graph, Node, Value } from '../onnx/graph.ts';
import { usedValues } from '../onnx/used-values.ts';
import { type ConvolutionLayer, soleRelu } from './quantizable-layers.ts';

/** A sum of two values that are int8 already (a residual connection), with the Relu after it. */
export interface IntegerSum {
  readonly node: Node;
  readonly relu: Node | undefined;
  readonly output: Value;
}

/** What lies between int8 convolutions, and can stay in int8 with them. */
export interface IntegerRegion {
  readonly sums: ReadonlyMap<Node, IntegerSum>;
  /** Nodes whose output has the levels of their input: MaxPool, Identity, DepthToSpace, Slice. */
  readonly passing: ReadonlySet<Node>;
}

/**
 * The sums and poolings whose inputs are read or given by int8 convolutions. Without them each residual connection
 * would go to float32 and back, which costs as much as a small convolution.
 */
export function integerRegion(graph: Graph, layers: readonly ConvolutionLayer[]): IntegerRegion {
  const consumers = new Map<Value, Node[]>();
  for (const node of graph.nodes)
    for (const value of usedValues(node)) consumers.set(value, [...(consumers.get(value) ?? []), node]);
  const outputs = new Set(graph.outputs);
  const byNode = new Map(layers.map((layer) => [layer.node, layer]));
  const sums = new Map<Node, IntegerSum>();
  const passing = new Set<Node>();
  const integers = new Set<Value>();
  for (const node of graph.nodes) {
    const layer = byNode.get(node);
    const [output] = node.outputs;
    if (layer) {
      integers.add(layer.input);
      integers.add(layer.output);
    } else if (node.domain === '' && output) {
      const [first] = node.inputs;
      if (node.opType === 'Add' && node.inputs.every((value) => value && integers.has(value))) {
        const relu = soleRelu(output, consumers, outputs, graph.initializers);
        const sum = { node, relu, output: relu?.outputs[0] ?? output };
        sums.set(node, sum);
        integers.add(sum.output);
      } else if (first && integers.has(first) && isPassing(node)) {
        passing.add(node);
        integers.add(output);
      }
    }
  }
  return { sums, passing };
}

function isPassing({ opType, outputs }: Node): boolean {
  // MaxPool with a second output gives positions, which it has for float values alone.
  return movesLevels(opType) || (opType === 'MaxPool' && outputs.length === 1);
}

/** Whether an operator only moves elements of its first input about, and has a kernel for uint8. */
export function movesLevels(opType: string): boolean {
  return opType === 'Identity' || opType === 'DepthToSpace' || opType === 'Slice';
}
