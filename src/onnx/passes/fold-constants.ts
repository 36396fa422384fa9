import { type EvaluateOptions, evaluateNode } from '../evaluate/evaluate-node.ts';
import type { Graph, Node, Value } from '../graph.ts';
import { replaceReads } from '../replace-values.ts';
import type { Tensor } from '../tensor.ts';

export interface FoldConstantsOptions extends EvaluateOptions {
  /** Initializers that are not constants: the parameters of a model that is to be trained. */
  parameters?: ReadonlySet<Value>;
}

/** Exporters' constants are some thousands; the rest stays to be computed by who runs the model. */
const MAX_ELEMENTS_IN_ALL = 2 ** 22;

/**
 * Replaces nodes whose inputs are constants by initializers of what they compute. What exporters emit around
 * shapes disappears this way, once shapes are static. Constant nodes become initializers too. Inputs that are no
 * longer read stay; `removeDeadNodes` removes them.
 */
export function foldConstants(graph: Graph, options: FoldConstantsOptions = {}): Graph {
  if ((graph.opsets.get('') ?? 0) < 7) return graph;
  const budget = options.budget ?? { elements: MAX_ELEMENTS_IN_ALL };
  const initializers = new Map(graph.initializers);
  const constants = new Map<Value, Tensor>(graph.initializers);
  for (const value of options.parameters ?? []) constants.delete(value);
  // A folded value may have had no static shape before: it is another value then, under the same name.
  const replacements = new Map<Value, Value>();
  const nodes: Node[] = [];
  for (const original of graph.nodes) {
    const node = replaceReads(original, replacements);
    const results = evaluateNode(
      node,
      node.inputs.map((value) => value && constants.get(value)),
      { ...options, budget },
    );
    if (!results || node.outputs.length > results.length) {
      nodes.push(node);
      continue;
    }
    for (const [i, output] of node.outputs.entries()) {
      if (!output) continue;
      const value = typed(output, results[i]!);
      if (value !== output) replacements.set(output, value);
      constants.set(value, results[i]!);
      initializers.set(value, results[i]!);
    }
  }
  if (nodes.length === graph.nodes.length) return graph;
  return {
    ...graph,
    nodes,
    initializers,
    outputs: graph.outputs.map((value) => replacements.get(value) ?? value),
  };
}

function typed(value: Value, { type, dims }: Tensor): Value {
  const same = value.type === type && value.shape?.join() === dims.join();
  return same ? value : { name: value.name, type, shape: dims };
}
