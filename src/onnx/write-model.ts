import { create, toBinary } from '@bufbuild/protobuf';
import { LimbeckError } from '../errors.ts';
import { DATA_TYPE_CODES } from './data-type.ts';
import { encodeExternalTensor, encodeTensor, tensorBytes, tensorPieces } from './encode-tensor.ts';
import type { Attribute, Graph, Node, Value } from './graph.ts';
import { ATTRIBUTE_TYPE_CODES } from './schema/attribute-types.ts';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './schema/onnx.gen.ts';
import { isStored, tensorByteLength } from './stored-tensor.ts';
import type { Tensor } from './tensor.ts';

export interface WriteModelOptions {
  /** Version of the file format, 8 by default: initializers need not be inputs, every ORT since 1.10 reads it. */
  irVersion?: number;
  /** Who made the model, `limbeck` by default. */
  producer?: string;
  /** Whether to write the types of inner values (where known), so that readers need no inference. Default true. */
  valueInfo?: boolean;
}

/** The protobuf format ends at 2 GiB. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

export type EncodeInitializer = (name: string, tensor: Tensor) => TensorProto;

/**
 * A graph as the bytes of an ONNX file. The same graph always gives the same bytes.
 *
 * @throws LimbeckError `model.too-large` beyond 2 GiB (use `writeModelWithExternalData`),
 *   `model.untyped-input` when an input has no type.
 */
export function writeModel(graph: Graph, options: WriteModelOptions = {}): Uint8Array {
  return encodeModel(graph, options, encodeTensor);
}

export interface ExternalDataOptions extends WriteModelOptions {
  /** The name of the data file, which has to lie beside the model: `model.onnx.data`. */
  fileName: string;
  /** Initializers of fewer bytes stay in the model; 1024 by default. */
  threshold?: number;
}

/** A model whose large tensors lie in a second file: its pieces, one after another, are that file. */
export interface ModelWithExternalData {
  model: Uint8Array;
  /** Views of the tensors' own memory and of the padding between them; tensors that lie in files are read in their turn. */
  data: Iterable<Uint8Array>;
}

/** Tensors begin at multiples of this many bytes, so that a mapped file can be used in place. */
const ALIGNMENT = 64;

/** A graph as an ONNX file and a file of tensor data beside it, for models that do not fit one file. */
export function writeModelWithExternalData(
  graph: Graph,
  options: ExternalDataOptions,
): ModelWithExternalData {
  const threshold = options.threshold ?? 1024;
  const data: (Uint8Array | Tensor)[] = [];
  let offset = 0;
  const model = encodeModel(graph, options, (name, tensor) => {
    if (tensor.type === 'string') return encodeTensor(name, tensor);
    const length = tensorByteLength(tensor);
    if (length < threshold || length === 0) return encodeTensor(name, tensor);
    const padding = (ALIGNMENT - (offset % ALIGNMENT)) % ALIGNMENT;
    if (padding > 0) data.push(new Uint8Array(padding));
    offset += padding;
    const proto = encodeExternalTensor(name, tensor, options.fileName, offset);
    data.push(isStored(tensor) ? tensor : tensorBytes(tensor));
    offset += length;
    return proto;
  });
  return { model, data: { [Symbol.iterator]: () => bytesOf(data) } };
}

function* bytesOf(pieces: readonly (Uint8Array | Tensor)[]): Generator<Uint8Array> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) yield piece;
    else yield* tensorPieces(piece);
  }
}

function encodeModel(graph: Graph, options: WriteModelOptions, encodeInitializer: EncodeInitializer) {
  const bytes = toBinary(ModelProtoSchema, modelProto(graph, options, encodeInitializer));
  if (bytes.byteLength > MAX_MODEL_BYTES) throw tooLarge(graph.name, bytes.byteLength);
  return bytes;
}

/** A graph as a ModelProto, its initializers encoded as a caller wants them. @throws LimbeckError as `writeModel` */
export function modelProto(
  graph: Graph,
  options: WriteModelOptions,
  encodeInitializer: EncodeInitializer,
): ModelProto {
  let tensorTotal = 0;
  const counting: EncodeInitializer = (name, tensor) => {
    const proto = encodeInitializer(name, tensor);
    tensorTotal += proto.rawData?.byteLength ?? 0;
    if (tensorTotal > MAX_MODEL_BYTES) throw tooLarge(graph.name, tensorTotal);
    return proto;
  };
  const writer = new GraphWriter(counting, options.valueInfo ?? true);
  return create(ModelProtoSchema, {
    irVersion: BigInt(options.irVersion ?? 8),
    producerName: options.producer ?? 'limbeck',
    graph: writer.graph(graph, new Map()),
    opsetImport: [...graph.opsets].map(([domain, version]) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
    ),
    metadataProps: [...graph.metadata].map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    ),
  });
}

function tooLarge(name: string, bytes: number): LimbeckError {
  return new LimbeckError('model.too-large', `the model has ${bytes} bytes, an ONNX file at most 2 GiB`, {
    where: `graph '${name}'`,
    remedy: 'Write it with external data.',
  });
}

class GraphWriter {
  private readonly encodeInitializer: EncodeInitializer;
  private readonly valueInfo: boolean;

  constructor(encodeInitializer: EncodeInitializer, valueInfo: boolean) {
    this.encodeInitializer = encodeInitializer;
    this.valueInfo = valueInfo;
  }

  /** `outer` holds the values that surround a subgraph, by name. Names are how a file tells values apart. */
  graph(graph: Graph, outer: ReadonlyMap<string, Value>): GraphProto {
    const scope = new Map(outer);
    const define = (value: Value) => {
      const other = scope.get(value.name);
      if (other === value) throw new Error(`value '${value.name}' is defined twice`);
      if (other) throw new Error(`two values are called '${value.name}'`);
      if (value.name === '') throw new Error('a value has no name');
      scope.set(value.name, value);
    };
    for (const value of graph.inputs) {
      if (value.type === undefined && outer.size === 0) throw untypedInput(value);
      define(value);
    }
    const initializers: TensorProto[] = [];
    for (const [value, tensor] of graph.initializers) {
      define(value);
      initializers.push(this.encodeInitializer(value.name, tensor));
    }
    const ends = new Set(graph.outputs);
    const inner: ValueInfoProto[] = [];
    for (const node of graph.nodes) {
      for (const value of node.outputs) {
        if (!value) continue;
        define(value);
        if (this.valueInfo && value.type !== undefined && !ends.has(value)) inner.push(encodeValue(value));
      }
    }
    for (const value of graph.outputs) {
      if (scope.get(value.name) !== value) throw new Error(`nothing defines the output '${value.name}'`);
    }
    return create(GraphProtoSchema, {
      name: graph.name || 'graph',
      input: graph.inputs.map(encodeValue),
      output: graph.outputs.map(encodeValue),
      initializer: initializers,
      node: graph.nodes.map((node) => this.node(node, scope)),
      valueInfo: inner,
    });
  }

  private node(node: Node, scope: ReadonlyMap<string, Value>): NodeProto {
    for (const value of node.inputs) {
      if (value && scope.get(value.name) !== value) {
        throw new Error(`node '${node.name}' (${node.opType}) reads '${value.name}', which nothing defines`);
      }
    }
    const proto = create(NodeProtoSchema, {
      input: node.inputs.map((value) => value?.name ?? ''),
      output: node.outputs.map((value) => value?.name ?? ''),
      opType: node.opType,
      attribute: [...node.attributes].map(([name, attribute]) => this.attribute(name, attribute, scope)),
    });
    if (node.name !== '') proto.name = node.name;
    if (node.domain !== '') proto.domain = node.domain;
    return proto;
  }

  private attribute(name: string, attribute: Attribute, scope: ReadonlyMap<string, Value>): AttributeProto {
    const proto = create(AttributeProtoSchema, { name, type: ATTRIBUTE_TYPE_CODES[attribute.kind] });
    switch (attribute.kind) {
      case 'int':
        proto.i = toInt64(attribute.value);
        break;
      case 'float':
        proto.f = attribute.value;
        break;
      case 'string':
        proto.s = utf8.encode(attribute.value);
        break;
      case 'tensor':
        proto.t = encodeTensor('', attribute.value);
        break;
      case 'graph':
        proto.g = this.graph(attribute.value, scope);
        break;
      case 'ints':
        proto.ints = attribute.value.map(toInt64);
        break;
      case 'floats':
        proto.floats = [...attribute.value];
        break;
      case 'strings':
        proto.strings = attribute.value.map((text) => utf8.encode(text));
        break;
      case 'graphs':
        proto.graphs = attribute.value.map((graph) => this.graph(graph, scope));
        break;
    }
    return proto;
  }
}

const utf8 = new TextEncoder();
const INT64_MAX = 2n ** 63n - 1n;

/** "To the end" is written as the largest int64, which as a number is one too large. */
function toInt64(value: number): bigint {
  const whole = BigInt(value);
  return whole > INT64_MAX ? INT64_MAX : whole;
}

function encodeValue(value: Value): ValueInfoProto {
  const proto = create(ValueInfoProtoSchema, { name: value.name });
  if (value.type === undefined) return proto;
  return create(ValueInfoProtoSchema, {
    name: value.name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: DATA_TYPE_CODES[value.type],
          ...(value.shape && {
            shape: {
              dim: value.shape.map((dim) =>
                typeof dim === 'number'
                  ? { value: { case: 'dimValue' as const, value: BigInt(dim) } }
                  : { value: { case: 'dimParam' as const, value: dim } },
              ),
            },
          }),
        },
      },
    },
  });
}

function untypedInput(value: Value): LimbeckError {
  return new LimbeckError('model.untyped-input', `input '${value.name}' has no type`, {
    remedy: 'Give the input a type and a shape.',
  });
}
