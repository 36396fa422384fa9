import { type AttributeInits, toAttributes } from '../onnx/attributes.ts';
import type { DataType } from '../onnx/data-type.ts';
import type { Graph, Node, Shape, Value } from '../onnx/graph.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { usedValues } from '../onnx/used-values.ts';

/** What an emitted node gives: a value of the old graph, or the name, type and shape of a new one. */
export type Target = Value | { name: string; type: DataType; shape: Shape | undefined };

/**
 * Replaces some nodes of a graph by others. Nodes that are not replaced stay the same objects, of whatever operator
 * they are, so that models with operators that we cannot infer shapes for can be rewritten too.
 */
export class GraphRewriter {
  readonly #graph: Graph;
  readonly #names: Set<string>;
  /** The values that the old graph's nodes give. */
  readonly #old = new Set<object>();
  readonly #initializers: Map<Value, Tensor>;
  readonly #opsets: Map<string, number>;
  #nodes: Node[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#initializers = new Map(graph.initializers);
    this.#opsets = new Map(graph.opsets);
    this.#names = new Set([...graph.inputs, ...graph.initializers.keys()].map((value) => value.name));
    for (const node of graph.nodes) {
      this.#names.add(node.name);
      for (const value of node.outputs) {
        if (!value) continue;
        this.#names.add(value.name);
        this.#old.add(value);
      }
    }
  }

  /** Adds a constant. */
  initializer(name: string, content: Tensor): Value {
    const value: Value = { name: this.#fresh(name), type: content.type, shape: content.dims };
    this.#initializers.set(value, content);
    return value;
  }

  /** Adds a constant under the name of one that no node is going to read any more. */
  replacement({ name }: Value, content: Tensor): Value {
    const value: Value = { name, type: content.type, shape: content.dims };
    this.#initializers.set(value, content);
    return value;
  }

  /** Adds a node with one output and returns that. */
  emit(
    opType: string,
    inputs: readonly (Value | null)[],
    target: Target,
    attributes: AttributeInits = {},
    domain = '',
  ): Value {
    return this.emitAll(opType, inputs, [target], attributes, domain)[0];
  }

  /** Adds a node like another one, over other inputs and with one new output. */
  copy(node: Node, inputs: readonly (Value | null)[], { name, type, shape }: Target): Value {
    const output: Value = { name: this.#fresh(name), type, shape };
    this.#nodes.push({
      ...node,
      name: this.#fresh(`${output.name}_${node.opType}`),
      inputs,
      outputs: [output],
    });
    return output;
  }

  /** Adds a node like another one, over other inputs and with new outputs; those of the old graph stay what they are. */
  copyAll(
    node: Node,
    inputs: readonly (Value | null)[],
    targets: readonly (Value | null)[],
  ): (Value | null)[] {
    const outputs = targets.map((target) =>
      target && !this.#old.has(target) ? { ...target, name: this.#fresh(target.name) } : target,
    );
    this.#nodes.push({ ...node, inputs, outputs });
    return outputs;
  }

  /** Keeps a node, over other inputs. */
  keep(node: Node, inputs: readonly (Value | null)[]): void {
    this.#nodes.push({ ...node, inputs });
  }

  /** Adds a node with several outputs. */
  emitAll(
    opType: string,
    inputs: readonly (Value | null)[],
    targets: readonly Target[],
    attributes: AttributeInits = {},
    domain = '',
  ): Value[] {
    if (domain !== '' && !this.#opsets.has(domain)) this.#opsets.set(domain, 1);
    const outputs = targets.map((target): Value => {
      if (this.#old.has(target)) return target as Value;
      return { name: this.#fresh(target.name), type: target.type, shape: target.shape };
    });
    const name = this.#fresh(`${outputs[0].name}_${opType}`);
    const end = inputs.findLastIndex((value) => value !== null) + 1;
    const attributeMap = toAttributes(attributes);
    this.#nodes.push({
      name,
      opType,
      domain,
      inputs: inputs.slice(0, end),
      outputs,
      attributes: attributeMap,
    });
    return outputs;
  }

  /**
   * The graph in which each node that `replace` answers true for has become what `replace` emitted. Constants that
   * nothing uses any more are gone; inputs, outputs and metadata stay.
   */
  rewrite(replace: (node: Node) => boolean): Graph {
    this.#nodes = [];
    for (const node of this.#graph.nodes) if (!replace(node)) this.#nodes.push(node);
    const used = new Set<Value>(this.#graph.outputs);
    for (const node of this.#nodes) for (const value of usedValues(node)) used.add(value);
    // An initializer that is also an input (a default that callers may override) is part of the interface.
    for (const input of this.#graph.inputs) used.add(input);
    return {
      ...this.#graph,
      nodes: this.#nodes,
      initializers: new Map([...this.#initializers].filter(([value]) => used.has(value))),
      opsets: this.#opsets,
    };
  }

  #fresh(stem: string): string {
    let name = stem;
    for (let count = 1; this.#names.has(name); count++) name = `${stem}_${count}`;
    this.#names.add(name);
    return name;
  }
}
