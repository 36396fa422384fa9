import { type Attribute, intAttribute, type Node, type Value } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { Axes, AxisUnits } from './axis-units.ts';

/** What a rule has at hand while units are found. */
export interface Linking {
  readonly units: AxisUnits;
  constant(value: Value | null | undefined): Tensor | undefined;
  /** Whether a mean over fewer elements is good enough, as where a model is trained again from narrower layers. */
  readonly meansMayShrink?: boolean | undefined;
}

/** What a rule has at hand while a node is cut. */
export interface Cutting extends Pick<Linking, 'constant'> {
  /** The indices of an axis that stay; all of them where nothing is cut. */
  kept(value: Value, axis: number): readonly number[];
  isCut(value: Value, axis: number): boolean;
  /** A new constant int64 vector. */
  ints(stem: string, values: readonly number[]): Value;
}

/** How channels pass through an operator. */
export interface OperatorRule {
  /** Joins the indices that belong together, and freezes those that have to stay. */
  link(node: Node, context: Linking): void;
  /** The node with what it says of sizes brought up to date; as it is when absent. */
  cut?(node: Node, context: Cutting): Node;
}

/** Nothing that goes in or comes out may be cut: what is done with operators without a rule. */
export const FROZEN: OperatorRule = {
  link(node, { units }) {
    for (const value of [...defined(node.inputs), ...defined(node.outputs)]) units.freeze(value);
  },
};

/** The inputs or outputs that a node has. */
export const defined = (values: readonly (Value | null)[]) =>
  values.filter((value): value is Value => value !== null);

/** Joins the axes of two values of the same rank, one by one; of different ranks nothing may be cut. */
export function joinAll(units: AxisUnits, a: Axes | null | undefined, b: Axes): void {
  if (a?.length !== b.length) {
    for (const axis of [...(a ?? []), ...b]) units.freezeAxis(axis);
    return;
  }
  for (const [i, axis] of a.entries()) units.joinAxes(axis, b[i]);
}

/** Joins an axis with the one that it is broadcast to. */
export function joinBroadcast(
  units: AxisUnits,
  axis: Axes[number] | undefined,
  target: Axes[number] | undefined,
): void {
  // One element that stands for all of an axis stays.
  if (axis?.length === 1 && target?.length !== 1) units.freezeAxis(axis);
  else units.joinAxes(axis, target);
}

/** The attribute `axis` of a node, counted from the front. */
export function axisOf(node: Node, rank: number): number {
  const axis = intAttribute(node, 'axis', 0);
  return axis < 0 ? axis + rank : axis;
}

/** The node with another value of an attribute. */
export function withAttribute(node: Node, name: string, attribute: Attribute): Node {
  return { ...node, attributes: new Map([...node.attributes, [name, attribute]]) };
}
