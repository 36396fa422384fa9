import { type AttributeInits, toAttributes } from './attributes.ts';
import type { Attribute, Graph, Node, Value } from './graph.ts';
import { int64, type Tensor } from './tensor.ts';
import { subgraphsOf } from './used-values.ts';

/** All names in a graph and in the graphs inside it. */
export function namesIn(graph: Graph, names: Set<string> = new Set()): Set<string> {
  for (const value of [...graph.inputs, ...graph.initializers.keys()]) names.add(value.name);
  for (const node of graph.nodes) {
    for (const value of node.outputs) if (value) names.add(value.name);
    for (const inner of subgraphsOf(node)) namesIn(inner, names);
  }
  return names;
}

/**
 * Collects the nodes that take the place of others, for passes that run before types and shapes are known (where they
 * are, `GraphBuilder` infers them). The last node emitted keeps the outputs of the one that it replaces, so that
 * nothing that reads them changes.
 */
export class NodeEmitter {
  readonly nodes: Node[] = [];
  readonly initializers = new Map<Value, Tensor>();
  readonly #names: Set<string>;

  constructor(names: Set<string>) {
    this.#names = names;
  }

  /** A new value of unknown type and shape. */
  value(stem: string): Value {
    return { name: this.#fresh(stem), type: undefined, shape: undefined };
  }

  constant(stem: string, content: Tensor): Value {
    const value = { name: this.#fresh(stem), type: content.type, shape: content.dims };
    this.initializers.set(value, content);
    return value;
  }

  /** A list of whole numbers (axes, pads). */
  ints(stem: string, values: readonly number[]): Value {
    return this.constant(stem, int64(values));
  }

  push(node: Node): void {
    this.nodes.push(node);
  }

  /** Emits a call of a standard operator and returns its output: `output`, or a new value. */
  op(
    opType: string,
    inputs: readonly (Value | null)[],
    attributes: AttributeInits = {},
    output: Value = this.value(opType),
  ): Value {
    const node = { name: output.name, opType, domain: '', inputs, outputs: [output] };
    this.push({ ...node, attributes: toAttributes(attributes) });
    return output;
  }

  #fresh(stem: string): string {
    let name = stem;
    for (let i = 1; this.#names.has(name); i++) name = `${stem}_${i}`;
    this.#names.add(name);
    return name;
  }
}

/** The attributes of a node without some of them. */
export function withoutAttributes(node: Node, ...names: readonly string[]): Map<string, Attribute> {
  return new Map([...node.attributes].filter(([name]) => !names.includes(name)));
}
