import { create, toBinary } from '@bufbuild/protobuf';
import { encodeTensor, tensorHeader, tensorPieces } from './encode-tensor.ts';
import type { Graph } from './graph.ts';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from './schema/onnx.gen.ts';
import { isStored, tensorByteLength } from './stored-tensor.ts';
import type { Tensor } from './tensor.ts';
import { varint } from './varint.ts';
import { modelProto, type WriteModelOptions } from './write-model.ts';

// The numbers of the fields are those of onnx.proto; all three hold bytes or messages (wire type 2).
const GRAPH = 7;
const INITIALIZER = 5;
const RAW_DATA = 9;

/**
 * The bytes that `writeModel` gives, one piece after another: tensors that lie in files are read in their turn, so that no
 * more than one is held. It may be gone through more than once. There is no bound of 2 GiB, for who hashes a large model.
 *
 * @throws LimbeckError `model.untyped-input` when an input has no type
 */
export function modelPieces(graph: Graph, options: WriteModelOptions = {}): Iterable<Uint8Array> {
  const later = new Map<string, Tensor>();
  for (const [{ name }, tensor] of graph.initializers) if (isStored(tensor)) later.set(name, tensor);
  const proto = modelProto(graph, options, (name, tensor) =>
    later.get(name) === tensor ? tensorHeader(name, tensor) : encodeTensor(name, tensor),
  );
  const { graph: inner, opsetImport, metadataProps, irVersion, producerName } = proto;
  const { initializer, node, name, input, output, valueInfo } = inner!;
  // Fields lie in the order of their numbers: irVersion 1, producerName 2, graph 7; node 1, name 2, initializer 5.
  const before = toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion, producerName }));
  const after = toBinary(ModelProtoSchema, create(ModelProtoSchema, { opsetImport, metadataProps }));
  const first = toBinary(GraphProtoSchema, create(GraphProtoSchema, { node, name }));
  const last = toBinary(GraphProtoSchema, create(GraphProtoSchema, { input, output, valueInfo }));
  const tensors = initializer.map((header) => encoded(header, later.get(header.name)));
  const length = tensors.reduce((sum, { bytes }) => sum + bytes, first.byteLength + last.byteLength);
  return {
    *[Symbol.iterator]() {
      yield before;
      yield head(GRAPH, length);
      yield first;
      for (const { pieces } of tensors) yield* pieces();
      yield last;
      yield after;
    },
  };
}

/** An initializer with its tag, as pieces and in bytes. */
function encoded(proto: TensorProto, later: Tensor | undefined) {
  const own = toBinary(TensorProtoSchema, proto);
  const data = later ? tensorByteLength(later) : 0;
  const rawHead = later ? head(RAW_DATA, data) : new Uint8Array(0);
  const content = own.byteLength + rawHead.byteLength + data;
  const tensorHead = head(INITIALIZER, content);
  return {
    bytes: tensorHead.byteLength + content,
    *pieces(): Generator<Uint8Array> {
      yield tensorHead;
      yield own;
      if (!later) return;
      yield rawHead;
      yield* tensorPieces(later);
    },
  };
}

function head(field: number, length: number): Uint8Array {
  return Uint8Array.from([...varint(field * 8 + 2), ...varint(length)]);
}
