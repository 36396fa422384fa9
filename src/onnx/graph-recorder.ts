import { type AttributeInits, toAttributes } from './attributes.ts';
import { arrayTypeOf, type DataType } from './data-type.ts';
import { evaluateNode } from './evaluate/evaluate-node.ts';
import type { Graph, Node, Shape, TypedValue, Value } from './graph.ts';
import { formatShape, type InferenceContext, ShapeError } from './shape-inference/rule.ts';
import { inferenceRule, operatorKey } from './shape-inference/rules.ts';
import { contentsOfTensor, type SizeContents, sizeContents } from './shape-inference/size-contents.ts';
import { elementCount, type Tensor, tensor } from './tensor.ts';

/** The operator set that our own graphs are written in. */
export const DEFAULT_OPSET = 20;

/** Longer lists are not followed while recording. */
const KNOWN_ELEMENTS = 64;

export interface NodeOptions {
  /** Name of the node and stem of its outputs' names; made from the operator's otherwise. */
  name?: string;
  domain?: string;
  /** How many outputs the node gets (1). */
  outputs?: number;
  /** Names for the outputs; those that are missing or taken are made from the node's name. */
  outputNames?: readonly (string | undefined)[];
}

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
  readonly #names = new Set<string>();
  readonly #counters = new Map<string, number>();
  readonly #scalars = new Map<string, TypedValue>();
  readonly #metadata = new Map<string, string>();
  readonly #known = new Map<Value, Tensor>();
  readonly #sizes = new Map<Value, SizeContents>();
  /** Names of sizes that were given, so that none is made again. */
  readonly #sizeNames = new Set<string>();
  #scope = '';

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
    const value: TypedValue = { name: this.#claim(name), type, shape: [...shape] };
    for (const dim of shape) if (typeof dim === 'string') this.#sizeNames.add(dim);
    this.#inputs.push(value);
    return value;
  }

  /** Adds an initializer: a constant, or (in a model) a parameter. */
  initializer(name: string, content: Tensor): TypedValue {
    const value: TypedValue = {
      name: this.#claim(this.#scoped(name)),
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
      known = this.#unscoped(() => this.initializer(this.#fresh('constant'), scalarTensor(value, type)));
      this.#scalars.set(key, known);
    }
    return known;
  }

  /** The content of a value that is an initializer, or that is computed from what is known and is a few whole numbers. */
  constantOf(value: Value): Tensor | undefined {
    return this.#contentOf(value);
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
    const name = this.#claim(options.name ? this.#scoped(options.name) : this.#fresh(this.#scoped(opType)));
    const trimmed = withoutTrailingNulls(inputs);
    const held = toAttributes(attributes);
    const rule = inferenceRule(domain, opType);
    if (!rule)
      throw new Error(`no shape inference for ${operatorKey(domain, opType)} (src/onnx/shape-inference/)`);
    const context: InferenceContext = {
      opType,
      inputs: trimmed,
      attributes: held,
      opset: this.opset,
      outputCount,
      constant: (index) => {
        const value = trimmed[index];
        return value ? this.#contentOf(value) : undefined;
      },
      sizes: (index) => {
        const value = trimmed[index];
        const contents = value && value.shape.length <= 1 ? this.#sizesIn(value) : undefined;
        return contents?.elements;
      },
      freshDim: () => this.#freshSize(),
    };
    try {
      const facts = rule(context);
      const outputs = facts.slice(0, outputCount).map((fact, i): TypedValue => {
        const wanted = options.outputNames?.[i];
        if (wanted !== undefined && !this.#names.has(this.#scoped(wanted))) {
          return { name: this.#claim(this.#scoped(wanted)), ...fact };
        }
        return { name: i === 0 ? name : this.#claim(`${name}:${i}`), ...fact };
      });
      const node: Node = { name, opType, domain, inputs: trimmed, outputs, attributes: held };
      this.#nodes.push(node);
      this.#learn(node);
      this.#learnSizes(node);
      return outputs;
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      const given = trimmed
        .map((v) => (v ? `${v.name}: ${v.type}${formatShape(v.shape)}` : 'none'))
        .join(', ');
      throw new ShapeError(`${name} = ${opType}(${given}): ${error.message}`);
    }
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
    const before = this.#scope;
    this.#scope = before === '' ? `${prefix}/` : `${before}${prefix}/`;
    try {
      return body();
    } finally {
      this.#scope = before;
    }
  }

  /** Makes `value` an output of the graph; with `name`, under that name (through an Identity). */
  output(value: TypedValue, name?: string): TypedValue {
    let result = value;
    if (name !== undefined && name !== value.name) {
      result = this.#unscoped(() => this.op('Identity', [value], {}, { name }));
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
   * `bind` gives the values for its inputs, and for initializers that are to become something else (parameters as
   * inputs, say), by name. Shapes are inferred anew from what is bound, which is how symbolic sizes become numbers.
   */
  inline(graph: Graph, bind: ReadonlyMap<string, TypedValue>, prefix = ''): Map<string, TypedValue> {
    const mapped = new Map<Value, TypedValue>();
    const byName = new Map<string, TypedValue>();
    const remember = (from: Value, to: TypedValue) => {
      mapped.set(from, to);
      byName.set(from.name, to);
    };
    for (const [domain, version] of graph.opsets)
      if (!this.#opsets.has(domain)) this.#opsets.set(domain, version);
    for (const input of graph.inputs) {
      const value = bind.get(input.name);
      if (!value) throw new Error(`inline: nothing is bound to input ${input.name}`);
      remember(input, value);
    }
    const body = () => {
      for (const [value, content] of graph.initializers) {
        remember(value, bind.get(value.name) ?? this.initializer(this.#unused(value.name), content));
      }
      for (const node of graph.nodes) {
        const inputs = node.inputs.map((value) => (value ? (mapped.get(value) as TypedValue) : null));
        const outputs = this.node(node.opType, inputs, Object.fromEntries(node.attributes), {
          domain: node.domain,
          name: this.#unused(node.outputs[0]?.name ?? node.name),
          outputs: node.outputs.length,
          outputNames: [undefined, ...node.outputs.slice(1).map((value) => value?.name)],
        });
        node.outputs.forEach((value, i) => {
          if (value) remember(value, outputs[i]);
        });
      }
    };
    if (prefix) this.scope(prefix, body);
    else body();
    return byName;
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

  /**
   * Remembers what a node computes when that is a short list of whole numbers that can be told: exporters compute
   * target shapes by Shape, Gather and Concat, and with every size bound these are known.
   */
  #learn(node: Node): void {
    const [output] = node.outputs;
    const type = output?.type;
    if (!output || (type !== 'int64' && type !== 'int32' && type !== 'bool')) return;
    const inputs = node.inputs.map((value) => (value ? this.#contentOf(value) : null));
    const results = evaluateNode(node, inputs, { maxElements: KNOWN_ELEMENTS });
    results?.forEach((content, i) => {
      const value = node.outputs[i];
      if (value) this.#known.set(value, content);
    });
  }

  /** The same for lists of sizes of which some are names. */
  #learnSizes(node: Node): void {
    const [output] = node.outputs;
    if (!output || this.#known.has(output) || !isShort(output.shape)) return;
    const contents = sizeContents(
      node,
      node.inputs.map((value) => (value ? this.#sizesIn(value) : undefined)),
    );
    contents.forEach((content, i) => {
      const value = node.outputs[i];
      if (!value || !content) return;
      const { type } = value;
      const known = content.elements.every((element) => typeof element === 'number');
      if (known && (type === 'int64' || type === 'int32' || type === 'bool'))
        this.#known.set(value, wholeTensor(type, content.dims, content.elements as number[]));
      else this.#sizes.set(value, content);
    });
  }

  #sizesIn(value: Value): SizeContents | undefined {
    const content = this.#contentOf(value);
    return content ? contentsOfTensor(content) : this.#sizes.get(value);
  }

  #freshSize(): string {
    let name = this.#fresh('unknown');
    while (this.#sizeNames.has(name)) name = this.#fresh('unknown');
    return name;
  }

  #contentOf(value: Value): Tensor | undefined {
    return this.#initializers.get(value) ?? this.#known.get(value);
  }

  #scoped(name: string): string {
    return `${this.#scope}${name}`;
  }

  #unscoped<T>(body: () => T): T {
    const before = this.#scope;
    this.#scope = '';
    try {
      return body();
    } finally {
      this.#scope = before;
    }
  }

  #claim(name: string): string {
    if (this.#names.has(name)) throw new Error(`the name ${name} is taken`);
    this.#names.add(name);
    return name;
  }

  /** `stem_3`: the next unused number for this stem. */
  #fresh(stem: string): string {
    let count = this.#counters.get(stem) ?? 0;
    while (this.#names.has(`${stem}_${count}`)) count++;
    this.#counters.set(stem, count + 1);
    return `${stem}_${count}`;
  }

  /** `name` itself when it is free in the current scope, else the next number for it. */
  #unused(name: string): string {
    if (!this.#names.has(this.#scoped(name))) return name;
    return this.#fresh(this.#scoped(name)).slice(this.#scope.length);
  }
}

function isShort(shape: Shape | undefined): boolean {
  return (
    shape?.every((dim) => typeof dim === 'number') === true &&
    elementCount(shape as number[]) <= KNOWN_ELEMENTS
  );
}

function wholeTensor(
  type: 'int64' | 'int32' | 'bool',
  dims: readonly number[],
  values: readonly number[],
): Tensor {
  return tensor(
    type,
    dims,
    type === 'int64' ? BigInt64Array.from(values, BigInt) : arrayTypeOf(type).from(values),
  );
}

function withoutTrailingNulls<T>(values: readonly (T | null)[]): (T | null)[] {
  let end = values.length;
  while (end > 0 && values[end - 1] === null) end--;
  return values.slice(0, end);
}

function scalarTensor(value: number, type: DataType): Tensor {
  if (type === 'int64' || type === 'uint64') {
    return tensor(
      type,
      [],
      type === 'int64' ? BigInt64Array.of(BigInt(value)) : BigUint64Array.of(BigInt(value)),
    );
  }
  if (type === 'string' || type === 'float16' || type === 'bfloat16') throw new Error(`no ${type} scalars`);
  const data = new (arrayTypeOf(type))(1);
  (data as Float32Array)[0] = value;
  return tensor(type, [], data as Float32Array);
}
