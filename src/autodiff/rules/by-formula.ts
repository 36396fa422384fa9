import type { Node, TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { withShape } from '../broadcast.ts';
import { type GradientRule, gradientOf, outputOf } from '../rule.ts';

/** An operator written in others: its inputs in, its first output out. */
export type Formula = (g: GraphBuilder, node: Node, inputs: readonly (TypedValue | null)[]) => TypedValue;

/**
 * A rule for an operator that is a formula over others: emits the formula again and differentiates that. It computes
 * forward values anew, so it is for operators whose own rule would not be faster. `differentiable` says which inputs
 * have a gradient (all of them by default).
 */
export function byFormula(formula: Formula, differentiable?: readonly number[]): GradientRule {
  return (call) => {
    const { g, node } = call;
    const isWanted = (index: number) => call.needs(index) && (differentiable?.includes(index) ?? true);
    // Copies, so that no path leads from one input to another.
    const copies = call.inputs.map((value, index) => (value && isWanted(index) ? g.identity(value) : value));
    const wanted = copies.flatMap((value, index) => (value && isWanted(index) ? [{ value, index }] : []));
    if (wanted.length === 0) return [];
    // Where inference could not tell the formula's shape, the operator's has it.
    const output = withShape(formula(g, node, copies), outputOf(call).shape);
    const found = call.gradients(
      output,
      wanted.map(({ value }) => value),
      gradientOf(call),
    );
    const results: (TypedValue | null)[] = copies.map(() => null);
    wanted.forEach(({ index }, i) => {
      results[index] = found[i];
    });
    return results;
  };
}
