import { isFieldSet } from '@bufbuild/protobuf';
import { LimbeckError } from '../errors.ts';
import {
  arrayTypeOf,
  bytesPerElement,
  type DataType,
  dataTypeFromCode,
  type TensorData,
} from './data-type.ts';
import { locating } from './located-error.ts';
import { type TensorProto, TensorProtoSchema } from './schema/onnx.gen.ts';
import { MAX_RANK } from './shape-inference/rule.ts';
import { type StoredRange, storedTensor } from './stored-tensor.ts';
import type { Tensor } from './tensor.ts';

/**
 * Gives `length` bytes from `offset` of the data file at `location` (a path relative to the model). It has to
 * throw when the file is shorter: lengths come from the model, and nothing may be allocated on their word.
 */
export interface ReadExternalData {
  (location: string, offset: number, length: number): Uint8Array;
  /**
   * Where these bytes lie, for who reads them later, and what reads them then; undefined for those that are to be read now.
   * Throws as reading does.
   */
  later?(
    location: string,
    offset: number,
    length: number,
  ): { readonly range: StoredRange; read(): Uint8Array; chunks(): Iterable<Uint8Array> } | undefined;
}

/** Names of the TensorProto.DataType numbers that we do not hold. */
const UNSUPPORTED_TYPES: Record<number, string> = {
  0: 'undefined',
  14: 'complex64',
  15: 'complex128',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
};

/** The data type for a number in a file. Throws LimbeckError `model.data-type` for what we do not hold. */
export function decodeDataType(code: number, where: string): DataType {
  const type = dataTypeFromCode(code);
  if (type) return type;
  throw new LimbeckError('model.data-type', `data type ${UNSUPPORTED_TYPES[code] ?? code} is not supported`, {
    where,
    remedy: 'Export the model with float32, float16 or int8 tensors.',
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 bytes as text. Throws LimbeckError `model.malformed` for other bytes. */
export function decodeText(bytes: Uint8Array, where: string): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new LimbeckError('model.malformed', 'a string is not UTF-8', { where, cause });
  }
}

/**
 * A TensorProto's elements, in whichever of the format's encodings, as a tensor with memory of its own.
 * Sizes are checked against the bytes at hand before anything is allocated.
 *
 * @throws LimbeckError `model.data-type`, `model.bad-tensor`, `model.external-data`
 */
export function decodeTensor(proto: TensorProto, where: string, readExternal?: ReadExternalData): Tensor {
  const type = decodeDataType(proto.dataType, where);
  if (proto.dims.length > MAX_RANK) throw bad(where, `a rank of ${proto.dims.length}`);
  const dims = proto.dims.map((dim) => {
    if (dim < 0n || dim > Number.MAX_SAFE_INTEGER) throw bad(where, `dimension ${dim} is out of range`);
    return Number(dim);
  });
  const count = dims.includes(0) ? 0 : dims.reduce((product, dim) => product * dim, 1);
  if (count > Number.MAX_SAFE_INTEGER) throw bad(where, `shape [${dims.join(', ')}] is absurdly large`);
  if (proto.segment) throw bad(where, 'tensors in segments are not supported');
  const stored =
    proto.dataLocation === EXTERNAL ? storedData(proto, type, count, where, readExternal) : undefined;
  if (stored && type !== 'string')
    return storedTensor(
      type,
      dims,
      () => inMemory(type, stored.read()),
      stored.range,
      () => stored.chunks(),
    );
  return { type, dims, data: decodeElements(proto, type, dims, count, where, readExternal) };
}

function decodeElements(
  proto: TensorProto,
  type: DataType,
  dims: readonly number[],
  count: number,
  where: string,
  readExternal: ReadExternalData | undefined,
): TensorData {
  const expect = (found: number, unit: string, wanted: number) => {
    if (found !== wanted) {
      throw bad(
        where,
        `shape [${dims.join(', ')}] of ${type} needs ${wanted} ${unit}, the file has ${found}`,
      );
    }
  };
  if (proto.dataLocation === EXTERNAL) return external(proto, type, count, where, readExternal);
  if (type === 'string') {
    expect(proto.stringData.length, 'strings', count);
    return proto.stringData.map((bytes) => decodeText(bytes, where));
  }
  if (isFieldSet(proto, TensorProtoSchema.field.rawData)) {
    const size = count * bytesPerElement(type);
    // Exporters write empty raw_data beside typed fields.
    if (proto.rawData.byteLength > 0 || size === 0) {
      expect(proto.rawData.byteLength, 'bytes', size);
      return fromBytes(type, proto.rawData);
    }
  }
  const numbers = typedField(proto, type);
  expect(numbers.length, 'elements', count);
  return fromNumbers(type, numbers, where);
}

function typedField(proto: TensorProto, type: Exclude<DataType, 'string'>): number[] | bigint[] {
  switch (type) {
    case 'float32':
      return proto.floatData;
    case 'float64':
      return proto.doubleData;
    case 'int64':
      return proto.int64Data;
    case 'uint32':
    case 'uint64':
      return proto.uint64Data;
    default:
      return proto.int32Data;
  }
}

function fromNumbers(
  type: Exclude<DataType, 'string'>,
  numbers: number[] | bigint[],
  where: string,
): TensorData {
  if (type === 'int64') return BigInt64Array.from(numbers as bigint[]);
  if (type === 'uint64') return BigUint64Array.from(numbers as bigint[]);
  const array = arrayTypeOf(type).from(Array.from(numbers, Number)) as Exclude<
    TensorData,
    string[] | BigInt64Array | BigUint64Array
  >;
  if (type !== 'float32' && type !== 'float64') {
    const outside = array.findIndex((value, i) => value !== Number(numbers[i]));
    if (outside >= 0) throw bad(where, `element ${numbers[outside]} is not a ${type}`);
  }
  return array;
}

/** The number of `EXTERNAL` in TensorProto.DataLocation. */
const EXTERNAL = 1;

/** Bytes of a buffer of their own as elements, not copied. */
function inMemory(type: Exclude<DataType, 'string'>, bytes: Uint8Array): TensorData {
  return new (arrayTypeOf(type))(bytes.buffer as ArrayBuffer);
}

/** Copies, because typed arrays need aligned memory and the file's own buffer should be free to go. */
function fromBytes(type: Exclude<DataType, 'string'>, bytes: Uint8Array): TensorData {
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return new (arrayTypeOf(type))(copy.buffer);
}

function external(
  proto: TensorProto,
  type: DataType,
  count: number,
  where: string,
  readExternal: ReadExternalData | undefined,
): TensorData {
  const { location, offset, length } = placeOf(proto, type, count, where);
  if (type === 'string') throw bad(where, 'strings cannot be external data');
  if (!readExternal) {
    throw new LimbeckError(
      'model.external-data',
      `the data of a tensor lies in another file, '${location}'`,
      {
        where,
        remedy: 'Read the model from its file, with its data file beside it.',
      },
    );
  }
  const bytes = locating(where, () => readExternal(location, offset, length));
  if (bytes.byteLength !== length) {
    throw bad(where, `needs ${length} bytes of '${location}', ${bytes.byteLength} could be read`);
  }
  return fromBytes(type, bytes);
}

/** What of a tensor's external data is read later; undefined where that is now. */
function storedData(
  proto: TensorProto,
  type: DataType,
  count: number,
  where: string,
  readExternal: ReadExternalData | undefined,
): ReturnType<NonNullable<ReadExternalData['later']>> {
  if (!readExternal?.later || type === 'string') return undefined;
  const { location, offset, length } = placeOf(proto, type, count, where);
  return locating(where, () => readExternal.later?.(location, offset, length));
}

/** Which file a tensor's external data lie in, and where, all of it checked against its shape. */
function placeOf(
  { externalData }: TensorProto,
  type: DataType,
  count: number,
  where: string,
): { readonly location: string; readonly offset: number; readonly length: number } {
  const entries = new Map(externalData.map(({ key, value }) => [key, value]));
  const location = entries.get('location');
  if (!location) throw bad(where, 'its external data has no location');
  const size = count * bytesPerElement(type);
  const offset = wholeNumber(entries.get('offset') ?? '0', where);
  const length = wholeNumber(entries.get('length') ?? String(size), where);
  if (type !== 'string' && length !== size)
    throw bad(where, `needs ${size} bytes, its external data is ${length} bytes long`);
  return { location, offset, length };
}

function wholeNumber(text: string, where: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw bad(where, `'${text}' is not a whole number of bytes`);
  return value;
}

function bad(where: string, message: string): LimbeckError {
  return new LimbeckError('model.bad-tensor', `the file is damaged: ${message}`, {
    where,
    remedy: 'Fetch or export the model again.',
  });
}
