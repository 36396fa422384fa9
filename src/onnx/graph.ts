import type { DataType } from './data-type.ts';
import type { Tensor } from './tensor.ts';

/** One dimension: a size, or the name of a size that is only known when the model runs. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/**
 * An edge of the graph: a named tensor with its type and shape. Identity is the object; names are unique in a graph.
 * `type` and `shape` are undefined only in models that were read and whose inference has not reached them.
 */
export interface Value {
  readonly name: string;
  readonly type: DataType | undefined;
  readonly shape: Shape | undefined;
}

/** A value whose type and shape are known, as everything that a builder emits. */
export interface TypedValue extends Value {
  readonly type: DataType;
  readonly shape: Shape;
}

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'graph'; readonly value: Graph }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'graphs'; readonly value: readonly Graph[] };

/** One operator call. A missing optional input is null; an unused optional output is null. */
export interface Node {
  readonly name: string;
  readonly opType: string;
  /** '' is the standard ONNX domain. */
  readonly domain: string;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly (Value | null)[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/**
 * A model: nodes in topological order, over inputs and initializers (constant tensors by value).
 * Graphs are immutable; passes (`src/onnx/passes/`) make new ones that share values and nodes.
 */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<Value, Tensor>;
  /** Version of each operator set, by domain. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The whole-number attribute `name`, or `fallback` when the node has none. */
export function intAttribute(node: Pick<Node, 'attributes'>, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? attribute.value : fallback;
}

/** The float attribute `name`, or `fallback`. */
export function floatAttribute(node: Pick<Node, 'attributes'>, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'float' ? attribute.value : fallback;
}

/** The list attribute `name`, or undefined. */
export function intsAttribute(node: Pick<Node, 'attributes'>, name: string): readonly number[] | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'ints' ? attribute.value : undefined;
}

/** The string attribute `name`, or `fallback`. */
export function stringAttribute(node: Pick<Node, 'attributes'>, name: string, fallback: string): string {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'string' ? attribute.value : fallback;
}

/** The value called `name` among inputs, initializers and node outputs, or undefined. */
export function findValue(graph: Graph, name: string): Value | undefined {
  for (const value of graph.inputs) if (value.name === name) return value;
  for (const value of graph.initializers.keys()) if (value.name === name) return value;
  for (const node of graph.nodes) for (const value of node.outputs) if (value?.name === name) return value;
  return undefined;
}
