import { LimbeckError } from '../errors.ts';
import { type AttributeInits, toAttributes } from './attributes.ts';
import { copyAttributes } from './copy-subgraph.ts';
import type { DataType } from './data-type.ts';
import type { Dim, Graph, Node, Shape, TypedValue, Value } from './graph.ts';
import { GraphNames } from './graph-names.ts';
import { KnownContents } from './known-contents.ts';
import { scalarTensor } from './scalar-tensor.ts';
import {
  type Fact,
  formatShape,
  type InferenceContext,
  MAX_RANK,
  ShapeError,
} from './shape-inference/rule.ts';
import { inferenceRule, operatorKey } from './shape-inference/rules.ts';
import type { Tensor } from './tensor.ts';

/** The operator set that our own graphs are written in. */
export const DEFAULT_OPSET = 20;

/** Far more than any model has: what a file of a few bytes makes grow beyond ends before memory does. */
const MAX_NODES = 400_000;

export interface NodeOptions {
  /** Name of the node and stem of its outputs' names; made from the operator's otherwise. */
  name?: string;
  domain?: string;
  /** How many outputs the node gets (1). */
  outputs?: number;
  /** Names for the outputs; those that are missing or taken are made from the node's name. */
  outputNames?: readonly (string | undefined)[];
}

/** What stands for the values of a graph that is copied, while one of its nodes is expanded. */
export interface CopyPlace {
  /** The value here; undefined where there is none, or its type or shape is not known. */
  read(value: Value): TypedValue | undefined;
  /** Copies a graph that the node holds (a branch, a body) over these values as its inputs, and returns its outputs. */
  copyGraph(graph: Graph, inputs?: readonly TypedValue[]): (TypedValue | undefined)[];
}

/** Emits other operators in place of a node and returns its outputs, or undefined when the node is to stay. */
export type Expand = (node: Node, place: CopyPlace) => readonly (TypedValue | null)[] | undefined;

/**
 * Records nodes into a graph. Every value gets its type and shape at once, by the shape inference of its operator,
 * so that a mistake fails at the line that made it. `GraphBuilder` adds a typed method per operator.
 */
export class GraphRecorder {
  readonly #inputs: TypedValue[] = [];
  readonly #outputs: Value[] = [];
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<Value, Tensor>();
  readonly #opsets: Map<string, number>;
  readonly #names = new GraphNames();
  readonly #scalars = new Map<string, TypedValue>();
  readonly #metadata = new Map<string, string>();
  readonly #contents = new KnownContents(this.#initializers);
  /** What inference had to say against nodes that were copied from a file. */
  readonly #objections = new Map<Node, Error>();
  /** Names of sizes that were given, so that none is made again. */
  readonly #sizeNames = new Set<string>();

  constructor(opset: number = DEFAULT_OPSET) {
    this.#opsets = new Map([['', opset]]);
  }

  get opset(): number {
    return this.#opsets.get('') as number;
  }

  /** The nodes recorded so far, in topological order. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  get inputs(): readonly TypedValue[] {
    return this.#inputs;
  }

  get initializers(): ReadonlyMap<Value, Tensor> {
    return this.#initializers;
  }

  /** Adds a graph input. */
  input(name: string, type: DataType, shape: Shape): TypedValue {
    const value: TypedValue = { name: this.#names.claim(name), type, shape: [...shape] };
    for (const dim of shape) if (typeof dim === 'string') this.#sizeNames.add(dim);
    this.#inputs.push(value);
    return value;
  }

  /** Adds an initializer: a constant, or (in a model) a parameter. */
  initializer(name: string, content: Tensor): TypedValue {
    const value: TypedValue = {
      name: this.#names.claim(this.#names.scoped(name)),
      type: content.type,
      shape: content.dims,
    };
    this.#initializers.set(value, content);
    return value;
  }

  /** A scalar constant; the same number and type give the same value. */
  scalar(value: number, type: DataType = 'float32'): TypedValue {
    const key = `${type} ${Object.is(value, -0) ? '-0' : value}`;
    let known = this.#scalars.get(key);
    if (!known) {
      known = this.#names.outside(() =>
        this.initializer(this.#names.fresh('constant'), scalarTensor(value, type)),
      );
      this.#scalars.set(key, known);
    }
    return known;
  }

  /** Whether nothing has this name (inside the current scope), or is going to have it. */
  isFree(name: string): boolean {
    return this.#names.isFree(name);
  }

  /** The content of a value that is an initializer, or that is computed from what is known and is a few whole numbers. */
  constantOf(value: Value): Tensor | undefined {
    return this.#contents.tensorOf(value);
  }

  /** Adds a call of any operator and returns its outputs. */
  node(
    opType: string,
    inputs: readonly (TypedValue | null)[],
    attributes: AttributeInits = {},
    options: NodeOptions = {},
  ): TypedValue[] {
    const { domain = '', outputs: outputCount = 1 } = options;
    if (domain !== '' && !this.#opsets.has(domain)) this.#opsets.set(domain, 1);
    const name = this.#names.claim(
      options.name ? this.#names.scoped(options.name) : this.#names.fresh(this.#names.scoped(opType)),
    );
    const call: Call = {
      name: this.#names.claimForNode(name),
      opType,
      domain,
      inputs: withoutTrailingNulls(inputs),
      attributes: toAttributes(attributes),
    };
    const facts = this.#infer(call, outputCount);
    const outputs = facts.slice(0, outputCount).map((fact, i): TypedValue => {
      const wanted = options.outputNames?.[i];
      if (wanted !== undefined && !this.#names.has(this.#names.scoped(wanted))) {
        return { name: this.#names.claim(this.#names.scoped(wanted)), ...fact };
      }
      return { name: i === 0 ? name : this.#names.claim(`${name}:${i}`), ...fact };
    });
    this.#append({ ...call, outputs });
    return outputs;
  }

  /** A name that no node or value has, for what is inside of a node that is about to be recorded. */
  nodeNameOf(opType: string): string {
    return this.#names.claim(this.#names.fresh(this.#names.scoped(`${opType}_inside`)));
  }

  /** Operator sets that subgraphs of this graph's nodes need. */
  useOperators(opsets: ReadonlyMap<string, number>): void {
    for (const [domain, version] of opsets) if (!this.#opsets.has(domain)) this.#opsets.set(domain, version);
  }

  /** Adds a call of an operator with one output. */
  op(
    opType: string,
    inputs: readonly (TypedValue | null)[],
    attributes: AttributeInits = {},
    options: NodeOptions = {},
  ): TypedValue {
    return this.node(opType, inputs, attributes, options)[0];
  }

  /** Names made inside `body` begin with `prefix/`. */
  scope<T>(prefix: string, body: () => T): T {
    return this.#names.within(prefix, body);
  }

  /** Makes `value` an output of the graph; with `name`, under that name (through an Identity). */
  output(value: TypedValue, name?: string): TypedValue;
  output(value: Value): Value;
  output(value: Value, name?: string): Value {
    let result = value;
    if (name !== undefined && name !== value.name) {
      result = this.#names.outside(() => this.op('Identity', [value as TypedValue], {}, { name }));
    }
    this.#outputs.push(result);
    return result;
  }

  /** Sets a line of the model's metadata. */
  setMetadata(key: string, value: string): void {
    this.#metadata.set(key, value);
  }

  /**
   * Copies another graph's nodes and initializers into this one and returns the values that its names stand for here.
   * `bind` gives the values for its inputs, and for initializers and inner values that are to become something else
   * (parameters as inputs, disturbed embeddings), by name. Shapes are inferred anew from what is bound, which is how symbolic sizes become numbers.
   * Values whose type or shape cannot be told are not among what is returned (see `copy`).
   * @throws ShapeError when sizes do not go together, or an output of the graph is such a value
   */
  inline(graph: Graph, bind: ReadonlyMap<string, TypedValue>, prefix = ''): Map<string, TypedValue> {
    const before = this.#objections.size;
    const mapped = this.copy(graph, bind, prefix);
    const objections = [...this.#objections.values()].slice(before);
    const wrong = objections.find((objection) => objection instanceof ShapeError);
    if (wrong) throw wrong;
    for (const output of graph.outputs) {
      if (isTyped(mapped.get(output) as Value)) continue;
      const reasons = objections.map(({ message }) => message).join('; ');
      throw new ShapeError(`type or shape of the output '${output.name}' cannot be told: ${reasons}`);
    }
    const byName = new Map<string, TypedValue>();
    for (const [from, to] of mapped) if (isTyped(to)) byName.set(from.name, to);
    return byName;
  }

  /**
   * As `inline`, with every value of the graph. An operator without an inference rule, or one that the rule objects
   * to, does not fail: what it gives has the type and shape that the file declares, with the numbers that its sizes
   * have in `bind`, or none. `objectionTo` tells.
   * `expand` may emit other operators for a node than the node itself.
   */
  copy(graph: Graph, bind: ReadonlyMap<string, TypedValue>, prefix = '', expand?: Expand): Map<Value, Value> {
    const mapped = new Map<Value, Value>();
    for (const [domain, version] of graph.opsets)
      if (!this.#opsets.has(domain)) this.#opsets.set(domain, version);
    for (const input of graph.inputs) {
      const value = bind.get(input.name);
      if (!value) throw new Error(`inline: nothing is bound to input ${input.name}`);
      mapped.set(input, value);
    }
    const sizes = boundSizes(graph, bind);
    const body = () => this.#copyNodes(graph, bind, mapped, sizes, expand);
    if (prefix) this.scope(prefix, body);
    else body();
    return mapped;
  }

  /** Why nothing is known of what a copied node gives, or undefined where inference had no objection. */
  objectionTo(node: Node): string | undefined {
    return this.#objections.get(node)?.message;
  }

  /** Why the sizes that go into a copied node do not go together, or undefined where inference found no such thing. */
  disagreementOf(node: Node): string | undefined {
    const objection = this.#objections.get(node);
    return objection instanceof ShapeError ? objection.message : undefined;
  }

  /** The graph recorded so far. */
  build(name = 'limbeck'): Graph {
    return {
      name,
      inputs: [...this.#inputs],
      outputs: [...this.#outputs],
      nodes: [...this.#nodes],
      initializers: new Map(this.#initializers),
      opsets: new Map(this.#opsets),
      metadata: new Map(this.#metadata),
    };
  }

  /** Copies a graph whose inputs, and whatever it reads from around it, are in `mapped`, and adds the rest to it. */
  #copyNodes(
    graph: Graph,
    bind: ReadonlyMap<string, TypedValue>,
    mapped: Map<Value, Value>,
    sizes: ReadonlyMap<string, Dim>,
    expand: Expand | undefined,
  ): void {
    if (expand) {
      for (const node of graph.nodes)
        for (const value of node.outputs) if (value) this.#names.reserve(value.name);
    }
    for (const [value, content] of graph.initializers) {
      const here = bind.get(value.name) ?? this.initializer(this.#names.unused(value.name), content);
      mapped.set(value, here);
    }
    for (const node of graph.nodes) {
      if (!(expand && this.#expandNode(node, mapped, sizes, expand))) this.#copyNode(node, mapped, sizes);
      if (bind.size > graph.inputs.length) {
        for (const value of node.outputs) {
          const other = value && bind.get(value.name);
          if (other) mapped.set(value, other);
        }
      }
    }
  }

  /** Puts what `expand` emits in the place of a node, under the names of its outputs; false when the node is to stay. */
  #expandNode(
    node: Node,
    mapped: Map<Value, Value>,
    sizes: ReadonlyMap<string, Dim>,
    expand: Expand,
  ): boolean {
    const read = (value: Value) => {
      const here = mapped.get(value);
      return here && isTyped(here) ? here : undefined;
    };
    const stem = node.outputs.find((value) => value)?.name ?? node.name;
    const results = this.scope(stem, () =>
      expand(node, {
        read,
        copyGraph: (graph, inputs = []) => {
          graph.inputs.forEach((input, i) => {
            const given = inputs[i];
            if (given) mapped.set(input, given);
          });
          this.#copyNodes(graph, new Map(), mapped, sizes, expand);
          return graph.outputs.map(read);
        },
      }),
    );
    results?.forEach((result, i) => {
      const value = node.outputs[i];
      if (value && result)
        mapped.set(value, this.op('Identity', [result], {}, { name: this.#names.unused(value.name) }));
    });
    return results !== undefined;
  }

  #copyNode(node: Node, mapped: Map<Value, Value>, sizes: ReadonlyMap<string, Dim>): void {
    const claim = (name: string) => this.#names.claim(this.#names.scoped(this.#names.unused(name)));
    const names = node.outputs.map((value) => value && claim(value.name));
    // Our own nodes are called like their first output, and stay so.
    const own = node.name === '' || node.name === node.outputs[0]?.name;
    const call: Call<Value> = {
      name: this.#names.claimForNode(
        own ? (names[0] ?? this.#names.scoped(node.opType)) : this.#names.scoped(node.name),
      ),
      opType: node.opType,
      domain: node.domain,
      inputs: withoutTrailingNulls(node.inputs.map((value) => value && (mapped.get(value) ?? value))),
      attributes: copyAttributes(node.attributes, mapped, claim),
    };
    let facts: readonly (Fact | undefined)[] = [];
    let objection: Error | undefined;
    try {
      const untyped = call.inputs.find((value) => value && !isTyped(value));
      if (untyped) objection = new Error(`the shape of '${untyped.name}' is not known`);
      else facts = this.#infer(call as Call, node.outputs.length);
    } catch (error) {
      // Whatever a rule meets in a file is the file's fault: rules expect what the operator's specification allows.
      objection = error as Error;
    }
    const outputs = node.outputs.map((value, i): Value | null => {
      if (!value) return null;
      const declared = value.shape?.map((dim) => (typeof dim === 'string' ? (sizes.get(dim) ?? dim) : dim));
      const fact = facts[i] ?? { type: value.type, shape: declared };
      for (const dim of fact.shape ?? []) if (typeof dim === 'string') this.#sizeNames.add(dim);
      const here = { name: names[i] as string, ...fact };
      mapped.set(value, here);
      return here;
    });
    const copied: Node = { ...call, outputs };
    if (objection !== undefined) this.#objections.set(copied, objection);
    this.#append(copied);
  }

  #infer(call: Call, outputCount: number): readonly Fact[] {
    const { name, opType, domain, inputs, attributes } = call;
    const rule = inferenceRule(domain, opType);
    if (!rule)
      throw new Error(`no shape inference for ${operatorKey(domain, opType)} (src/onnx/shape-inference/)`);
    const context: InferenceContext = {
      opType,
      inputs,
      attributes,
      opset: this.opset,
      outputCount,
      constant: (index) => {
        const value = inputs[index];
        return value ? this.#contents.tensorOf(value) : undefined;
      },
      sizes: (index) => {
        const value = inputs[index];
        const contents = value && value.shape.length <= 1 ? this.#contents.sizesOf(value) : undefined;
        return contents?.elements;
      },
      freshDim: () => this.#freshSize(),
    };
    try {
      return rule(context).map(checkFact);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      const given = inputs
        .map((v) => (v ? `${v.name}: ${v.type}${formatShape(v.shape)}` : 'none'))
        .join(', ');
      throw new ShapeError(`${name} = ${opType}(${given}): ${error.message}`);
    }
  }

  #append(node: Node): void {
    if (this.#nodes.length >= MAX_NODES) {
      throw new LimbeckError('model.too-large', `the graph would have more than ${MAX_NODES} operators`, {
        where: `node '${node.name}'`,
        remedy: 'A loop, a recurrence or a list in the model is too long to be written out step by step.',
      });
    }
    this.#nodes.push(node);
    this.#contents.learn(node);
  }

  #freshSize(): string {
    let name = this.#names.fresh('unknown');
    while (this.#sizeNames.has(name)) name = this.#names.fresh('unknown');
    return name;
  }

  /** A name as it is inside the current scope. */
  nameInScope(name: string): string {
    return this.#names.scoped(name);
  }
}

/** What a node is before its outputs are known. */
interface Call<V extends Value = TypedValue> extends Pick<Node, 'name' | 'opType' | 'domain' | 'attributes'> {
  readonly inputs: readonly (V | null)[];
}

/** What the named sizes of a graph's inputs are in what is bound to them. */
function boundSizes({ inputs }: Graph, bind: ReadonlyMap<string, TypedValue>): Map<string, Dim> {
  const sizes = new Map<string, Dim>();
  for (const { name, shape = [] } of inputs) {
    shape.forEach((dim, axis) => {
      const size = bind.get(name)?.shape[axis];
      if (typeof dim === 'string' && size !== undefined && !sizes.has(dim)) sizes.set(dim, size);
    });
  }
  return sizes;
}

function isTyped(value: Value): value is TypedValue {
  return value.type !== undefined && value.shape !== undefined;
}

function checkFact({ type, shape }: Fact): Fact {
  if (shape.length > MAX_RANK) throw new ShapeError(`its result would have a rank of ${shape.length}`);
  for (const dim of shape) {
    const possible = typeof dim === 'string' || (Number.isSafeInteger(dim) && dim >= 0);
    if (!possible) throw new ShapeError(`its result would have the shape ${formatShape(shape)}`);
  }
  return { type, shape };
}

function withoutTrailingNulls<T>(values: readonly (T | null)[]): (T | null)[] {
  let end = values.length;
  while (end > 0 && values[end - 1] === null) end--;
  return values.slice(0, end);
}
