import { create } from '@bufbuild/protobuf';
import { DATA_TYPE_CODES } from './data-type.ts';
import { StringStringEntryProtoSchema, type TensorProto, TensorProtoSchema } from './schema/onnx.gen.ts';
import { chunksOf, elementsOnce, tensorByteLength } from './stored-tensor.ts';
import type { Tensor } from './tensor.ts';

const utf8 = new TextEncoder();

/** A tensor's elements as they lie in memory, not copied (little-endian, as ONNX wants and every engine has). */
export function tensorBytes(tensor: Tensor): Uint8Array {
  const data = elementsOnce(tensor);
  if (Array.isArray(data)) throw new Error('string tensors have no raw bytes');
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The bytes of a tensor's elements for who writes or hashes them: of one that lies in a file a little at a time. */
export function tensorPieces(tensor: Tensor): Iterable<Uint8Array> {
  return chunksOf(tensor) ?? [tensorBytes(tensor)];
}

/** A tensor as TensorProto: strings as string_data, everything else as raw_data. */
export function encodeTensor(name: string, tensor: Tensor): TensorProto {
  const proto = tensorHeader(name, tensor);
  if (tensor.type === 'string') proto.stringData = (tensor.data as string[]).map((text) => utf8.encode(text));
  else proto.rawData = tensorBytes(tensor);
  return proto;
}

/** A tensor whose elements lie in another file, at `offset` bytes from its start. */
export function encodeExternalTensor(
  name: string,
  tensor: Tensor,
  location: string,
  offset: number,
): TensorProto {
  const proto = tensorHeader(name, tensor);
  const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
  proto.dataLocation = 1;
  proto.externalData = [
    entry('location', location),
    entry('offset', String(offset)),
    entry('length', String(tensorByteLength(tensor))),
  ];
  return proto;
}

/** A tensor's name, type and shape, without its elements. */
export function tensorHeader(name: string, tensor: Tensor): TensorProto {
  const proto = create(TensorProtoSchema, {
    dims: tensor.dims.map((dim) => BigInt(dim)),
    dataType: DATA_TYPE_CODES[tensor.type],
  });
  if (name !== '') proto.name = name;
  return proto;
}
