import { create } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import { LimbeckError } from '../errors.ts';
import { CHANGES } from './passes/upgrade-opset/changes.ts';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './schema/onnx.gen.ts';

/** Functions that call functions: more than any exporter emits. */
const MAX_DEPTH = 64;

/** What calls may grow to in all: a file of a few kilobytes could ask for any number. */
const MAX_NODES = 100_000;

/**
 * A model's graph with every call of one of its own functions (as PyTorch's dynamo exporter emits them) replaced by
 * the function's nodes; functions may call functions. Outputs of a call keep their names, what is inside gets the
 * call's name before its own.
 *
 * @throws LimbeckError `model.functions`: functions that call themselves, that grow beyond 100,000 nodes, that are
 *   called with too many values, or that are of another version of an operator than the model
 */
export function inlineFunctions(model: ModelProto, graph: GraphProto): GraphProto {
  if (model.functions.length === 0) return graph;
  const versions = new Map(model.opsetImport.map(({ domain, version }) => [plain(domain), Number(version)]));
  const functions = new Map<string, FunctionProto>();
  for (const fn of model.functions) {
    const key = keyOf(fn.domain, fn.name, fn.overload);
    if (functions.has(key)) throw failed(fn, 'is there twice');
    requireSameVersions(fn, versions);
    functions.set(key, fn);
  }
  return new Inliner(functions, graph).graph(graph, identity, new Map());
}

type Rename = (name: string) => string;
type Given = ReadonlyMap<string, AttributeProto>;
const identity: Rename = (name) => name;

class Inliner {
  readonly #functions: ReadonlyMap<string, FunctionProto>;
  readonly #names = new Set<string>();
  readonly #stack: FunctionProto[] = [];
  #count = 0;

  constructor(functions: ReadonlyMap<string, FunctionProto>, graph: GraphProto) {
    this.#functions = functions;
    collectNames(graph, this.#names);
  }

  /** `given` are the attributes of the call that the graph is inside of. */
  graph(proto: GraphProto, rename: Rename, given: Given): GraphProto {
    const renamed =
      <T extends ValueInfoProto | TensorProto>(schema: GenMessage<T>) =>
      (value: T): T =>
        Object.assign(create(schema), value, { name: rename(value.name) });
    return Object.assign(create(GraphProtoSchema), proto, {
      node: proto.node.flatMap((node) => this.#node(node, rename, given)),
      input: proto.input.map(renamed(ValueInfoProtoSchema)),
      output: proto.output.map(renamed(ValueInfoProtoSchema)),
      initializer: proto.initializer.map(renamed(TensorProtoSchema)),
      valueInfo: proto.valueInfo.map(renamed(ValueInfoProtoSchema)),
    });
  }

  #node(proto: NodeProto, rename: Rename, given: Given): NodeProto[] {
    if (++this.#count > MAX_NODES) {
      throw new LimbeckError('model.functions', `its functions make more than ${MAX_NODES} nodes`, {
        where: `node '${proto.name}'`,
      });
    }
    // Fields that are not set lie on the prototype: a spread would lose them.
    const node = Object.assign(create(NodeProtoSchema), proto, {
      name: rename(proto.name),
      input: proto.input.map(rename),
      output: proto.output.map(rename),
      attribute: proto.attribute.flatMap((attribute) => this.#attribute(attribute, rename, given)),
    });
    const fn = this.#functions.get(keyOf(node.domain, node.opType, node.overload));
    return fn ? this.#call(fn, node) : [node];
  }

  #call(fn: FunctionProto, call: NodeProto): NodeProto[] {
    if (this.#stack.includes(fn)) throw failed(fn, 'calls itself');
    if (this.#stack.length >= MAX_DEPTH) throw failed(fn, `is called more than ${MAX_DEPTH} deep`);
    if (call.input.length > fn.input.length || call.output.length > fn.output.length) {
      throw failed(fn, `is called with ${call.input.length} inputs and ${call.output.length} outputs`);
    }
    const names = new Map<string, string>([['', '']]);
    for (const [i, name] of fn.input.entries()) names.set(name, call.input[i] ?? '');
    const passedOn: NodeProto[] = [];
    fn.output.forEach((name, i) => {
      const output = call.output[i];
      if (!output) return;
      if (!names.has(name)) names.set(name, output);
      // An output that is an input, or the same value as another output.
      else
        passedOn.push(
          create(NodeProtoSchema, {
            name: output,
            opType: 'Identity',
            input: [names.get(name)!],
            output: [output],
          }),
        );
    });
    const prefix = call.name || call.output[0] || fn.name;
    const rename = (name: string) => {
      let known = names.get(name);
      if (known === undefined) {
        known = this.#fresh(`${prefix}/${name}`);
        names.set(name, known);
      }
      return known;
    };
    const given = new Map(fn.attributeProto.map((attribute) => [attribute.name, attribute]));
    for (const attribute of call.attribute) given.set(attribute.name, attribute);
    this.#stack.push(fn);
    const body = fn.node.flatMap((node) => this.#node(node, rename, given));
    this.#stack.pop();
    return [...body, ...passedOn];
  }

  /** An attribute that refers to one of the call becomes that one; none when the call has none. */
  #attribute(proto: AttributeProto, rename: Rename, given: Given): AttributeProto[] {
    if (proto.refAttrName !== '') {
      const value = given.get(proto.refAttrName);
      if (!value) return [];
      return [Object.assign(create(AttributeProtoSchema), value, { name: proto.name })];
    }
    if (!proto.g && proto.graphs.length === 0) return [proto];
    return [
      Object.assign(create(AttributeProtoSchema), proto, {
        ...(proto.g && { g: this.graph(proto.g, rename, given) }),
        graphs: proto.graphs.map((graph) => this.graph(graph, rename, given)),
      }),
    ];
  }

  #fresh(stem: string): string {
    let name = stem;
    for (let i = 1; this.#names.has(name); i++) name = `${stem}_${i}`;
    this.#names.add(name);
    return name;
  }
}

function collectNames(graph: GraphProto, names: Set<string>): void {
  for (const { name } of [...graph.input, ...graph.initializer]) names.add(name);
  for (const node of graph.node) {
    for (const name of node.output) names.add(name);
    for (const { g, graphs } of node.attribute) {
      if (g) collectNames(g, names);
      for (const inner of graphs) collectNames(inner, names);
    }
  }
}

/** A function's nodes become the model's: operators whose meaning changed between their versions would change. */
function requireSameVersions(fn: FunctionProto, versions: ReadonlyMap<string, number>): void {
  const own = fn.opsetImport.find(({ domain }) => plain(domain) === '');
  const models = versions.get('');
  if (!own || models === undefined || Number(own.version) === models) return;
  const [older, newer] = [Math.min(Number(own.version), models), Math.max(Number(own.version), models)];
  for (const [version, changes] of CHANGES) {
    if (version <= older || version > newer) continue;
    const changed = fn.node.find((node) => plain(node.domain) === '' && Object.hasOwn(changes, node.opType));
    if (changed) {
      throw failed(fn, `has ${changed.opType} of opset ${own.version}, the model is of opset ${models}`);
    }
  }
}

function keyOf(domain: string, name: string, overload: string): string {
  return `${plain(domain)}::${name}::${overload}`;
}

/** The standard domain has two names. */
function plain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function failed(fn: FunctionProto, why: string): LimbeckError {
  return new LimbeckError('model.functions', `the model's function ${fn.name} ${why}`, {
    where: `function '${fn.domain}::${fn.name}'`,
    remedy: 'Export the model again, with its functions inlined.',
  });
}
