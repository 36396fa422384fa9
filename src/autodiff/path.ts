import { isFloat } from '../onnx/data-type.ts';
import type { Node, TypedValue, Value } from '../onnx/graph.ts';
import { usedValues } from '../onnx/used-values.ts';
import { stopsGradient } from './stop-gradient.ts';

/** The part of a graph through which a gradient flows. */
export interface GradientPath {
  /** Nodes between the values and the loss, in topological order. */
  readonly nodes: readonly Node[];
  /** Values that depend on one of `wrt` through floats alone, and those themselves. */
  readonly reached: ReadonlySet<Value>;
}

/** What lies between `wrt` and `loss`: what depends on the first and is needed by the second. */
export function gradientPath(
  nodes: readonly Node[],
  loss: TypedValue,
  wrt: readonly TypedValue[],
): GradientPath {
  const reached = new Set<Value>(wrt.filter((value) => isFloat(value.type)));
  for (const node of nodes) {
    if (stopsGradient(node) || !someIn(usedValues(node), reached)) continue;
    for (const value of node.outputs) if (value && carriesGradient(value)) reached.add(value);
  }
  const wanted = new Set<Value>([loss]);
  const between: Node[] = [];
  for (const node of [...nodes].reverse()) {
    if (stopsGradient(node)) continue;
    if (!node.outputs.some((value) => value && wanted.has(value) && reached.has(value))) continue;
    const inputs = [...usedValues(node)].filter((value) => reached.has(value));
    // An output that is itself one of `wrt` may come from a node that depends on none of them.
    if (inputs.length === 0) continue;
    for (const value of inputs) wanted.add(value);
    between.push(node);
  }
  return { nodes: between.reverse(), reached };
}

/** Whether a gradient may flow through a value: floats, and values of models that were read whose type nobody knows. */
function carriesGradient(value: Value): boolean {
  return value.type === undefined || isFloat(value.type);
}

function someIn(values: Iterable<Value>, set: ReadonlySet<Value>): boolean {
  for (const value of values) if (set.has(value)) return true;
  return false;
}
