import type { Graph, TypedValue, Value } from './graph.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { capturedValues } from './used-values.ts';

/**
 * Copies the body of a loop into `g`, over `inputs` as its inputs, and returns its outputs. `capture` gives what a value
 * of the graph around the body is in `g`. undefined where that, or an output's type, cannot be told.
 */
export function copyBody(
  g: GraphBuilder,
  body: Graph,
  inputs: readonly TypedValue[],
  capture: (value: Value) => TypedValue | undefined,
): TypedValue[] | undefined {
  const captured = [...capturedValues(body)];
  const bound = new Map<string, TypedValue>();
  for (const [i, input] of body.inputs.entries()) {
    const given = inputs[i];
    if (!given) return undefined;
    bound.set(input.name, given);
  }
  for (const value of captured) {
    const given = capture(value);
    if (!given) return undefined;
    bound.set(value.name, given);
  }
  const values = g.copy({ ...body, inputs: [...body.inputs, ...captured] }, bound);
  const outputs = body.outputs.map((output) => values.get(output));
  return outputs.every((value) => value?.type && value.shape) ? (outputs as TypedValue[]) : undefined;
}
