import type { Graph, Node, Value } from '../graph.ts';
import { replaceReads } from '../replace-values.ts';

/**
 * Lets the node that computes an output carry the output's name, instead of an Identity that gives it the name: ONNX
 * Runtime copies the whole tensor for that Identity. Inner names are lost where this happens, so it comes last.
 */
export function nameOutputs(graph: Graph): Graph {
  const produced = new Set(graph.nodes.flatMap((node) => node.outputs));
  const outputs = new Set(graph.outputs);
  const replacements = new Map<Value, Value>();
  const dropped = new Set<Node>();
  for (const node of graph.nodes) {
    const [input] = node.inputs;
    const [output] = node.outputs;
    if (node.opType !== 'Identity' || node.domain !== '' || !input || !output || !outputs.has(output))
      continue;
    // An input or initializer keeps its own name, and so does a value that is an output already.
    if (!produced.has(input) || outputs.has(input) || replacements.has(input)) continue;
    replacements.set(input, output);
    dropped.add(node);
  }
  if (dropped.size === 0) return graph;
  const nodes = graph.nodes
    .filter((node) => !dropped.has(node))
    .map((node) => {
      const reading = replaceReads(node, replacements);
      const renamed = reading.outputs.map((value) => (value && replacements.get(value)) ?? value);
      return { ...reading, outputs: renamed };
    });
  return { ...graph, nodes };
}
