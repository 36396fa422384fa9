import type { Node, Value } from './graph.ts';
import { usedValues } from './used-values.ts';

/**
 * What a value is computed from in the end: inputs and initializers, or the value itself if it is one of them.
 *
 * @param nodes in topological order
 */
export function sourcesOf(nodes: readonly Node[], value: Value): Set<Value> {
  const wanted = new Set<Value>([value]);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i] as Node;
    if (!node.outputs.some((output) => output && wanted.has(output))) continue;
    for (const output of node.outputs) if (output) wanted.delete(output);
    for (const used of usedValues(node)) wanted.add(used);
  }
  return wanted;
}
