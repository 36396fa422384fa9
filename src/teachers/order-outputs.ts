import type { Graph, Node, Value } from '../onnx/graph.ts';
import { replaceReads } from '../onnx/replace-values.ts';
import { int64 } from '../onnx/tensor.ts';
import { LOGITS } from './teacher-source.ts';

/**
 * A classifier whose output `logits` [batch, classes] has its classes in another order: class `i` is what was output
 * `outputs[i]`. The graph itself where nothing changes.
 */
export function orderOutputs(graph: Graph, outputs: readonly number[]): Graph {
  const width = graph.outputs.find(({ name }) => name === LOGITS)?.shape?.[1];
  if (outputs.every((output, i) => output === i) && (width === outputs.length || typeof width !== 'number'))
    return graph;
  const logits = graph.outputs.find(({ name }) => name === LOGITS);
  if (!logits) throw new Error(`${graph.name} has no output ${LOGITS}`);
  const names = new Set(
    [...graph.inputs, ...graph.initializers.keys(), ...graph.nodes.flatMap((node) => node.outputs)].map(
      (value) => value?.name,
    ),
  );
  const free = (name: string): string => (names.has(name) ? free(`${name}_`) : name);
  const before: Value = { ...logits, name: free('logits_of_teacher') };
  const order: Value = { name: free('class_order'), type: 'int64', shape: [outputs.length] };
  const after: Value = { ...logits, shape: [logits.shape?.[0] ?? 'batch', outputs.length] };
  const renamed = new Map([[logits, before]]);
  const nodes = graph.nodes.map(
    (node): Node => ({
      ...replaceReads(node, renamed),
      outputs: node.outputs.map((value) => (value === logits ? before : value)),
    }),
  );
  const gather: Node = {
    name: free('order_classes'),
    opType: 'Gather',
    domain: '',
    inputs: [before, order],
    outputs: [after],
    attributes: new Map([['axis', { kind: 'int', value: 1 }]]),
  };
  return {
    ...graph,
    nodes: [...nodes, gather],
    outputs: graph.outputs.map((output) => (output === logits ? after : output)),
    initializers: new Map([...graph.initializers, [order, int64(outputs)]]),
  };
}
