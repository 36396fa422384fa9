import { isFloat } from '../onnx/data-type.ts';
import type { Node, Value } from '../onnx/graph.ts';
import { usedValues } from '../onnx/used-values.ts';
import { gradientPath } from './path.ts';
import { stopsGradient } from './stop-gradient.ts';

/** A value that gets no gradient, and why. */
export interface Unreached {
  readonly name: string;
  readonly reason: string;
}

export const NOT_ON_THE_PATH = 'the loss does not depend on it';

/** More values than this are not looked into one by one. */
const MAX_EXPLAINED = 100;

/** Why no gradient of the loss arrives at values, as a person reads it: one reason for each. */
export function whyUnreached(nodes: readonly Node[], loss: Value, values: readonly Value[]): string[] {
  const needed = neededFor(nodes, loss);
  let explained = 0;
  return values.map((value) => {
    if (!needed.has(value)) return NOT_ON_THE_PATH;
    if (value.type && !isFloat(value.type)) return `${value.type}: only floats have gradients`;
    if (++explained > MAX_EXPLAINED) return 'no float path leads to the loss';
    return whyCut(nodes, loss, value, needed);
  });
}

/** Everything that the loss is computed from, by whatever path. */
function neededFor(nodes: readonly Node[], loss: Value): Set<Value> {
  const needed = new Set<Value>([loss]);
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((output) => output && needed.has(output))) continue;
    for (const value of usedValues(node)) needed.add(value);
  }
  return needed;
}

function whyCut(nodes: readonly Node[], loss: Value, value: Value, needed: ReadonlySet<Value>): string {
  const { reached } = gradientPath(nodes, loss as never, [value as never]);
  const cut = nodes.find(
    (node) =>
      node.outputs.some((output) => output && needed.has(output)) &&
      !node.outputs.some((output) => output && reached.has(output)) &&
      [...usedValues(node)].some((input) => reached.has(input)),
  );
  if (!cut) return 'the operators between have no slope, as Round and Sign';
  const name = `${cut.opType} '${cut.name}'`;
  if (stopsGradient(cut)) return `${name} stops the gradient`;
  const type = cut.outputs[0]?.type;
  return `${name} makes ${type ?? 'no floats'} of it, through which no gradient flows`;
}
