import { LimbeckError } from '../errors.ts';
import { parseJson } from '../json-problem.ts';
import type { DataType } from '../onnx/data-type.ts';
import { elementCount, type Tensor } from '../onnx/tensor.ts';

// The format is 8 bytes of header length, a JSON header, and raw little-endian data
// (github.com/huggingface/safetensors, "Format"). No well-kept JavaScript library writes it.

const TYPES: Partial<Record<DataType, string>> = {
  float32: 'F32',
  float64: 'F64',
  float16: 'F16',
  int64: 'I64',
  int32: 'I32',
  uint8: 'U8',
};
const NAMES = new Map(Object.entries(TYPES).map(([name, code]) => [code, name as DataType]));
const ARRAYS = {
  F32: Float32Array,
  F64: Float64Array,
  F16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  U8: Uint8Array,
};
const MAX_HEADER_BYTES = 100_000_000;

export interface SafetensorsContent {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The file for these tensors, as pieces to be written one after another (the data is not copied). */
export function encodeSafetensors({ tensors, metadata }: SafetensorsContent): Uint8Array[] {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const pieces: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { type, dims, data }] of tensors) {
    const dtype = TYPES[type];
    if (!dtype || Array.isArray(data)) throw new Error(`safetensors does not hold ${type} tensors (${name})`);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    header[name] = { dtype, shape: dims, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
    pieces.push(bytes);
  }
  let text = JSON.stringify(header);
  text += ' '.repeat((8 - (new TextEncoder().encode(text).length % 8)) % 8);
  const json = new TextEncoder().encode(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return [length, json, ...pieces];
}

/** Reads a file. Throws LimbeckError `checkpoint.damaged` unless every offset and size agrees with the bytes. */
export function decodeSafetensors(bytes: Uint8Array, where: string): SafetensorsContent {
  const damaged = (what: string) =>
    new LimbeckError('checkpoint.damaged', `this is not a safetensors file that can be read: ${what}`, {
      where,
    });
  if (bytes.length < 8) throw damaged('it is cut short');
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES || headerBytes + 8 > bytes.length)
    throw damaged('its header is cut short');
  let header: Record<string, unknown>;
  try {
    header = parseJson(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes))) as typeof header;
  } catch (cause) {
    throw damaged(`its header is not JSON (${(cause as Error).message})`);
  }
  if (typeof header !== 'object' || header === null) throw damaged('its header is not an object');
  const tensors = new Map<string, Tensor>();
  let last = 8 + headerBytes;
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    const type = NAMES.get(dtype as string);
    const ArrayType = ARRAYS[dtype as keyof typeof ARRAYS];
    if (!type || !areSizes(shape) || !areSizes(offsets)) throw damaged(`its tensor ${name} is unreadable`);
    const start = 8 + headerBytes + (offsets[0] as number);
    const end = 8 + headerBytes + (offsets[1] as number);
    if (!(start <= end && end <= bytes.length)) throw damaged(`the data of ${name} is cut short`);
    if (end - start !== elementCount(shape) * ArrayType.BYTES_PER_ELEMENT)
      throw damaged(`the size of ${name} is wrong`);
    // Copied, because the data may not be aligned for its type.
    const data = new ArrayType(Uint8Array.from(bytes.subarray(start, end)).buffer);
    tensors.set(name, { type, dims: shape, data });
    last = Math.max(last, end);
  }
  if (last !== bytes.length) throw damaged('there is more data in it than it lists');
  return { tensors, metadata: textsOf(header.__metadata__) };
}

function areSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** The format knows only texts as metadata. */
function textsOf(metadata: unknown): Record<string, string> {
  const entries = typeof metadata === 'object' && metadata !== null ? Object.entries(metadata) : [];
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
