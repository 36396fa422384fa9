import { isFieldSet } from '@bufbuild/protobuf';
import { LimbeckError } from '../errors.ts';
import { type DataType, dataTypeFromCode } from './data-type.ts';
import { decodeDataType, decodeTensor, decodeText, type ReadExternalData } from './decode-tensor.ts';
import type { Attribute, Dim, Graph, Node, Shape, Value } from './graph.ts';
import { sortNodes } from './passes/sort-nodes.ts';
import { attributeKindFromCode } from './schema/attribute-types.ts';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  type NodeProto,
  type ValueInfoProto,
} from './schema/onnx.gen.ts';
import { MAX_RANK } from './shape-inference/rule.ts';
import type { Tensor } from './tensor.ts';

/** What holds for the whole model while its graphs are read. */
export interface ModelContext {
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly readExternal: ReadExternalData | undefined;
  /** Names given to sizes that the file leaves unnamed. */
  readonly unnamedDims: Set<string>;
}

/** The names that a graph can see: its own and those of the graphs around it. */
interface Scope {
  readonly values: Map<string, Value>;
  /** Names in use, after renaming. */
  readonly names: Set<string>;
  readonly outer: Scope | undefined;
  readonly depth: number;
}

/** Subgraphs inside subgraphs: more than any exporter emits, less than the stack holds. */
const MAX_DEPTH = 32;

/** A GraphProto as a graph with its nodes in order. Subgraphs refer to the same value objects as what is around them. */
export function readGraph(proto: GraphProto, context: ModelContext, outer?: Scope): Graph {
  const depth = (outer?.depth ?? -1) + 1;
  if (depth > MAX_DEPTH)
    throw malformed(`graphs are nested more than ${MAX_DEPTH} deep`, `graph '${proto.name}'`);
  if (proto.sparseInitializer.length > 0) {
    throw new LimbeckError('model.sparse', 'sparse initializers are not supported', {
      where: `graph '${proto.name}'`,
      remedy: 'Export the model with dense weights.',
    });
  }
  const scope: Scope = { values: new Map(), names: new Set(), outer, depth };
  const types = declaredTypes(proto, context);
  const define = (name: string, type: DataType | undefined, shape: Shape | undefined, by: string): Value => {
    if (name === '') throw malformed('a value has no name', by);
    if (scope.values.has(name)) {
      throw new LimbeckError('model.duplicate-name', `two values are called '${name}'`, {
        where: by,
        remedy: 'Export the model again: every value is made once.',
      });
    }
    const value: Value = { name: freeName(name, proto, scope), type, shape };
    scope.values.set(name, value);
    scope.names.add(value.name);
    return value;
  };

  const initializers = new Map<Value, Tensor>();
  for (const tensorProto of proto.initializer) {
    const where = `initializer '${tensorProto.name}'`;
    const tensor = decodeTensor(tensorProto, where, context.readExternal);
    initializers.set(define(tensorProto.name, tensor.type, tensor.dims, where), tensor);
  }
  const inputs: Value[] = [];
  for (const info of proto.input) {
    // Files before IR version 4 list initializers as inputs too; later ones may, as defaults. They are constants here.
    if (depth === 0 && initializers.has(scope.values.get(info.name) as Value)) continue;
    const where = `input '${info.name}'`;
    const { type, shape } = valueType(info, where, depth === 0, context);
    inputs.push(define(info.name, type, shape, where));
  }
  for (const node of proto.node) {
    for (const name of node.output) {
      if (name === '') continue;
      const declared = types.get(name);
      define(name, declared?.type, declared?.shape, describeNode(node));
    }
  }
  const nodes = proto.node.map((node) => readNode(node, scope, context));
  const outputs = proto.output.map(({ name }) => {
    const value = lookUp(name, scope);
    if (!value) throw undefinedValue(name, `outputs of graph '${proto.name}'`);
    return value;
  });
  if (new Set(outputs).size < outputs.length) {
    throw new LimbeckError('model.duplicate-name', 'the same value is an output twice', {
      where: `outputs of graph '${proto.name}'`,
    });
  }
  const metadata = depth === 0 ? context.metadata : new Map<string, string>();
  return sortNodes({
    name: proto.name,
    inputs,
    outputs,
    nodes,
    initializers,
    opsets: context.opsets,
    metadata,
  });
}

function readNode(proto: NodeProto, scope: Scope, context: ModelContext): Node {
  const where = describeNode(proto);
  if (proto.opType === '') throw malformed('a node has no operator', where);
  const domain = normalDomain(proto.domain);
  if (!context.opsets.has(domain)) throw missingOpset(domain, where);
  const attributes = new Map<string, Attribute>();
  for (const attribute of proto.attribute) {
    const place = `${where}, attribute '${attribute.name}'`;
    if (attributes.has(attribute.name)) throw malformed('an attribute is given twice', place);
    attributes.set(attribute.name, readAttribute(attribute, place, scope, context));
  }
  const parts = attributes.get('num_outputs');
  // ONNX Runtime would list as many as the attribute says.
  if (proto.opType === 'Split' && parts?.kind === 'int' && parts.value !== proto.output.length)
    throw malformed(`num_outputs is ${parts.value}, its outputs are ${proto.output.length}`, where);
  return {
    name: proto.name,
    opType: proto.opType,
    domain,
    inputs: proto.input.map((name) => {
      if (name === '') return null;
      const value = lookUp(name, scope);
      if (!value) throw undefinedValue(name, where);
      return value;
    }),
    outputs: proto.output.map((name) => (name === '' ? null : scope.values.get(name)!)),
    attributes,
  };
}

function readAttribute(proto: AttributeProto, where: string, scope: Scope, context: ModelContext): Attribute {
  const kind = proto.type === 0 ? kindFromFields(proto) : attributeKindFromCode(proto.type);
  switch (kind) {
    case 'int':
      return { kind, value: Number(proto.i) };
    case 'float':
      return { kind, value: proto.f };
    case 'string':
      return { kind, value: decodeText(proto.s, where) };
    case 'tensor':
      if (!proto.t) throw malformed('a tensor attribute has no tensor', where);
      return { kind, value: decodeTensor(proto.t, where, context.readExternal) };
    case 'graph':
      if (!proto.g) throw malformed('a graph attribute has no graph', where);
      return { kind, value: readGraph(proto.g, context, scope) };
    case 'ints':
      return { kind, value: proto.ints.map(Number) };
    case 'floats':
      return { kind, value: [...proto.floats] };
    case 'strings':
      return { kind, value: proto.strings.map((bytes) => decodeText(bytes, where)) };
    case 'graphs':
      return { kind, value: proto.graphs.map((graph) => readGraph(graph, context, scope)) };
    case undefined:
      throw new LimbeckError('model.attribute', `attributes of type ${proto.type} are not supported`, {
        where,
      });
  }
}

/** Files before IR version 2 do not say an attribute's type. */
function kindFromFields(proto: AttributeProto): Attribute['kind'] | undefined {
  const { field } = AttributeProtoSchema;
  if (isFieldSet(proto, field.i)) return 'int';
  if (isFieldSet(proto, field.f)) return 'float';
  if (isFieldSet(proto, field.s)) return 'string';
  if (proto.t) return 'tensor';
  if (proto.g) return 'graph';
  if (proto.ints.length > 0) return 'ints';
  if (proto.floats.length > 0) return 'floats';
  if (proto.strings.length > 0) return 'strings';
  if (proto.graphs.length > 0) return 'graphs';
  return undefined;
}

function lookUp(name: string, scope: Scope | undefined): Value | undefined {
  for (let at = scope; at; at = at.outer) {
    const value = at.values.get(name);
    if (value) return value;
  }
  return undefined;
}

/** Names inside a subgraph that hide a name around it are changed: in a graph of ours a name means one value. */
function freeName(name: string, proto: GraphProto, scope: Scope): string {
  const taken = (candidate: string) => {
    for (let at = scope.outer; at; at = at.outer) {
      if (at.names.has(candidate) || at.values.has(candidate)) return true;
    }
    return false;
  };
  if (!scope.outer || !taken(name)) return name;
  const own = new Set([
    ...proto.node.flatMap((node) => node.output),
    ...proto.input.map((info) => info.name),
    ...proto.initializer.map((tensor) => tensor.name),
  ]);
  for (let i = 1; ; i++) {
    const candidate = `${name}_${i}`;
    if (!taken(candidate) && !own.has(candidate) && !scope.names.has(candidate)) return candidate;
  }
}

interface ValueType {
  type: DataType | undefined;
  shape: Shape | undefined;
}

/** Types of node outputs, as far as the file says them. */
function declaredTypes(proto: GraphProto, context: ModelContext): Map<string, ValueType> {
  const types = new Map<string, ValueType>();
  for (const info of proto.valueInfo) types.set(info.name, valueType(info, '', false, context));
  for (const info of proto.output) {
    const declared = valueType(info, `output '${info.name}'`, false, context);
    if (declared.type !== undefined) types.set(info.name, declared);
  }
  return types;
}

/** `needed`: whether a type that is not a tensor of a type that we hold is an error, or just unknown. */
function valueType(info: ValueInfoProto, where: string, needed: boolean, context: ModelContext): ValueType {
  const unknown = { type: undefined, shape: undefined };
  const kind = info.type?.value;
  if (kind?.case !== 'tensorType') {
    if (!needed || kind?.case === undefined) return unknown;
    throw new LimbeckError(
      'model.not-a-tensor',
      `${kind.case.replace('Type', '')} inputs are not supported`,
      {
        where,
        remedy: 'Export the model with tensor inputs.',
      },
    );
  }
  const code = kind.value.elemType;
  const type = needed ? decodeDataType(code, where) : dataTypeFromCode(code);
  if (type === undefined) return unknown;
  const rank = kind.value.shape?.dim.length ?? 0;
  if (rank > MAX_RANK) {
    throw new LimbeckError(
      'model.bad-shape',
      `a rank of ${rank}: tensors have at most ${MAX_RANK} dimensions`,
      {
        where: where || `value '${info.name}'`,
      },
    );
  }
  const shape = kind.value.shape?.dim.map(({ value: dim }, axis): Dim => {
    if (dim.case === 'dimParam' && dim.value !== '') return dim.value;
    // Some exporters write -1 for a size that they do not know.
    if (dim.case !== 'dimValue' || dim.value === -1n) return nameDim(info.name, axis, context);
    if (dim.value >= 0n && dim.value <= Number.MAX_SAFE_INTEGER) return Number(dim.value);
    throw new LimbeckError('model.bad-shape', `dimension ${dim.value} is out of range`, {
      where: where || `value '${info.name}'`,
    });
  });
  return { type, shape };
}

function nameDim(value: string, axis: number, { unnamedDims }: ModelContext): string {
  let name = `${value}.${axis}`;
  while (unnamedDims.has(name)) name += "'";
  unnamedDims.add(name);
  return name;
}

/** The standard domain has two names. */
export function normalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function describeNode(node: NodeProto): string {
  return `node '${node.name}' (${node.opType})`;
}

function malformed(message: string, where: string): LimbeckError {
  return new LimbeckError('model.malformed', `the file is damaged: ${message}`, {
    where,
    remedy: 'Fetch or export the model again.',
  });
}

function undefinedValue(name: string, where: string): LimbeckError {
  return new LimbeckError('model.undefined-value', `nothing in the model defines the value '${name}'`, {
    where,
    remedy: 'Export the model again, whole.',
  });
}

function missingOpset(domain: string, where: string): LimbeckError {
  const title = domain === '' ? 'the standard operators (ai.onnx)' : `the operators of '${domain}'`;
  return new LimbeckError('model.missing-opset', `the model does not say its version of ${title}`, {
    where,
    remedy: 'Export the model again with an opset import for that domain.',
  });
}
