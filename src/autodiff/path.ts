import { isFloat } from '../onnx/data-type.ts';
import type { Node, TypedValue, Value } from '../onnx/graph.ts';
import { usedValues } from '../onnx/used-values.ts';
import { movesQuantized, quantizes } from './rules/quantization.ts';
import { stopsGradient } from './stop-gradient.ts';

/** The part of a graph through which a gradient flows. */
export interface GradientPath {
  /** Nodes between the values and the loss, in topological order. */
  readonly nodes: readonly Node[];
  /** Values that depend on one of `wrt` through floats (and quantised values) alone, and those themselves. */
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
    const quantized = quantizedOutputs(node, reached);
    for (const [i, value] of node.outputs.entries())
      if (value && (carriesGradient(value) || i < quantized)) reached.add(value);
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

/** How many outputs, from the first, are whole numbers that stand for floats (`rules/quantization.ts`). */
function quantizedOutputs(node: Node, reached: ReadonlySet<Value>): number {
  if (quantizes(node)) return node.inputs[0] && reached.has(node.inputs[0]) ? 1 : 0;
  const moves =
    movesQuantized(node) &&
    node.inputs.some((value) => value?.type && !isFloat(value.type) && reached.has(value));
  return moves ? node.outputs.length : 0;
}

/** Whether a gradient may flow through a value: floats, and values of models that were read whose type nobody knows. */
function carriesGradient(value: Value): boolean {
  return value.type === undefined || isFloat(value.type);
}

function someIn(values: Iterable<Value>, set: ReadonlySet<Value>): boolean {
  for (const value of values) if (set.has(value)) return true;
  return false;
}
