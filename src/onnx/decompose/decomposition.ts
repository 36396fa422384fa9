import type { Node, TypedValue, Value } from '../graph.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import type { CopyPlace } from '../graph-recorder.ts';

/** The call of an operator that is taken apart. */
export interface CompositeCall {
  /** Where the operators that take its place are emitted. */
  readonly g: GraphBuilder;
  readonly node: Node;
  /** Missing optional inputs are null. */
  readonly inputs: readonly (TypedValue | null)[];
  readonly place: CopyPlace;
  /** What sequences hold, by the value of the graph that is copied. */
  readonly sequences: Map<Value, readonly TypedValue[]>;
}

/**
 * Emits ordinary operators that compute what a node computes, and returns its outputs (null for those that nothing
 * reads). undefined leaves the node as it is: a form that is not known here.
 */
export type Decomposition = (call: CompositeCall) => readonly (TypedValue | null)[] | undefined;

/** Input number `index`, which the operator requires. */
export function inputOf(call: CompositeCall, index: number): TypedValue {
  const value = call.inputs[index];
  if (!value) throw new Error(`${call.node.opType} '${call.node.name}' has no input ${index}`);
  return value;
}

/** Whether something may read output number `index`. */
export function hasOutput(call: CompositeCall, index: number): boolean {
  return call.node.outputs[index] != null;
}

/** A scalar or list of whole numbers that is known; undefined otherwise. */
export function knownInts(call: CompositeCall, index: number): number[] | undefined {
  const value = call.inputs[index];
  const content = value && call.g.constantOf(value);
  return content ? Array.from(content.data as ArrayLike<number | bigint>, Number) : undefined;
}
