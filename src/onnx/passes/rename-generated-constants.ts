import { isFloat } from '../data-type.ts';
import type { Graph, Value } from '../graph.ts';
import { replaceReads } from '../replace-values.ts';

/**
 * Names that ONNX Runtime gives to constants which its fusions add: it makes sure that no *node* has them, not that no
 * constant has. A model that it saved holds them already, and could not be loaded once more nodes can be fused.
 */
const GENERATED = /^gemm_(input|output)_shape|_token_\d+/;

/** Gives whole-number constants with such names others. Floats keep theirs: gradients and parameters are called so. */
export function renameGeneratedConstants(graph: Graph): Graph {
  const renamed = new Map<Value, Value>();
  const outputs = new Set(graph.outputs);
  for (const [value, { type }] of graph.initializers) {
    if (GENERATED.test(value.name) && !isFloat(type) && !outputs.has(value))
      renamed.set(value, { ...value, name: `kept/${value.name.replace(/_token_/g, '_')}` });
  }
  if (renamed.size === 0) return graph;
  return {
    ...graph,
    initializers: new Map(
      [...graph.initializers].map(([value, tensor]) => [renamed.get(value) ?? value, tensor]),
    ),
    nodes: graph.nodes.map((node) => replaceReads(node, renamed)),
  };
}
