import type { Node, TypedValue } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { type GradientRule, gradientOf } from '../rule.ts';

/** An operator written in others: its inputs in, its first output out. */
export type Formula = (g: GraphBuilder, node: Node, inputs: readonly (TypedValue | null)[]) => TypedValue;

/**
 * A rule for an operator that is a formula over others: emits the formula again and differentiates that. It computes
 * forward values anew, so it is for operators whose own rule would not be faster.
 */
export function byFormula(formula: Formula): GradientRule {
  return (call) => {
    const { g, node } = call;
    // Copies, so that no path leads from one input to another.
    const copies = call.inputs.map((value) => value && g.identity(value));
    const wanted = copies.flatMap((value, index) => (value && call.needs(index) ? [{ value, index }] : []));
    const output = formula(g, node, copies);
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
