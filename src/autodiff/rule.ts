import { LimbeckError } from '../errors.ts';
import type { Node, TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { normalizeAxis } from '../onnx/shape-inference/rule.ts';
import { toNumbers } from '../onnx/tensor.ts';

/** The call of an operator that a rule differentiates. */
export interface GradientCall {
  /** Where the rule emits the nodes of the gradient: the builder that holds the call itself. */
  readonly g: GraphBuilder;
  readonly node: Node;
  /** After the inputs: what the node's subgraphs read of the graph around them. */
  readonly inputs: readonly (TypedValue | null)[];
  readonly outputs: readonly (TypedValue | null)[];
  /** d loss / d output, with the output's shape; null where the loss does not depend on it. One at least is there. */
  readonly outputGradients: readonly (TypedValue | null)[];
  /** Whether the gradient of input `index` is wanted. Rules emit nothing for the others. */
  needs(index: number): boolean;
  /** `gradients` of nodes that the rule has emitted itself. */
  gradients(
    output: TypedValue,
    wrt: readonly TypedValue[],
    outputGradient: TypedValue,
  ): readonly (TypedValue | null)[];
  /** `gradients` of a scalar in another builder: the body of a loop. */
  gradientsIn(g: GraphBuilder, loss: TypedValue, wrt: readonly TypedValue[]): readonly (TypedValue | null)[];
}

/**
 * The gradient of one operator: emits ordinary operators and returns d loss / d input for every input, with that
 * input's shape. null stands for zero, for inputs that are not needed, and for missing inputs at the end.
 */
export type GradientRule = (call: GradientCall) => readonly (TypedValue | null)[];

/** A rule throws this for a form of its operator that it cannot differentiate; `gradients` reports it with the others. */
export class UnsupportedGradient extends Error {
  override readonly name = 'UnsupportedGradient';
}

/** A rule failed over a node: its inputs are not what the operator's specification allows, or the rule is wrong. */
export class RuleFailure extends Error {
  override readonly name = 'RuleFailure';
  /** The operator and its name: `MatMul 'proj'`. */
  readonly operator: string;

  constructor(operator: string, cause: Error) {
    super(`${operator}: ${cause.message}`, { cause });
    this.operator = operator;
  }
}

/** Runs `body` over a model from a file: what its nodes make a rule throw is told with the node. */
export function overForeignModel<T>(body: () => T): T {
  try {
    return body();
  } catch (failure) {
    if (!(failure instanceof RuleFailure)) throw failure;
    throw new LimbeckError('model.operator', `an operator cannot be differentiated: ${failure.message}`, {
      where: failure.operator,
      remedy: "Check the node against ONNX's specification (onnx.checker); if it is right, please report it.",
      cause: failure,
    });
  }
}

/** Input number `index`, which the operator requires. */
export function inputOf(call: GradientCall, index: number): TypedValue {
  const value = call.inputs[index];
  if (!value) throw new Error(`${call.node.opType} '${call.node.name}' has no input ${index}`);
  return value;
}

/** Output number `index`, which the operator always has. */
export function outputOf(call: GradientCall, index = 0): TypedValue {
  const value = call.outputs[index];
  if (!value) throw new Error(`${call.node.opType} '${call.node.name}' has no output ${index}`);
  return value;
}

/** The gradient of the only output of an operator. */
export function gradientOf(call: GradientCall): TypedValue {
  const value = call.outputGradients[0];
  if (!value) throw new UnsupportedGradient('a gradient arrives at its other outputs only');
  return value;
}

/** The list that older operator sets keep in attribute `name` and newer ones in input `index`; undefined when absent. */
export function listOf(call: GradientCall, name: string, index: number): number[] | undefined {
  const attribute = call.node.attributes.get(name);
  if (attribute?.kind === 'ints') return [...attribute.value];
  const value = call.inputs[index];
  if (!value) return undefined;
  const constant = call.g.constantOf(value);
  if (!constant) throw new UnsupportedGradient(`its ${name} are not constant`);
  return toNumbers(constant);
}

/** The axes of a list, counted from the front. */
export function frontAxes(axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => normalizeAxis(axis, rank));
}
