/** Element types of tensors, by the names that ONNX Runtime's JavaScript API uses. */
export type DataType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'
  | 'string';

/** Arrays that hold tensor elements. float16 and bfloat16 are kept as raw 16-bit words, bool as bytes. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | string[];

/** TensorProto.DataType numbers (ONNX IR specification, onnx.proto). */
export const DATA_TYPE_CODES: Record<DataType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
};

const NAMES_BY_CODE = new Map(
  Object.entries(DATA_TYPE_CODES).map(([name, code]) => [code, name as DataType]),
);

/** The data type for a TensorProto.DataType number, or undefined for one that we do not hold (float8, int4, ...). */
export function dataTypeFromCode(code: number): DataType | undefined {
  return NAMES_BY_CODE.get(code);
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

/** The typed array class that holds elements of a (non-string) type. */
export function arrayTypeOf<T extends Exclude<DataType, 'string'>>(type: T): (typeof ARRAYS)[T] {
  return ARRAYS[type];
}

/** Bytes per element; 0 for strings, which have no fixed size. */
export function bytesPerElement(type: DataType): number {
  return type === 'string' ? 0 : ARRAYS[type].BYTES_PER_ELEMENT;
}

/** Whether gradients flow through values of this type. */
export function isFloat(type: DataType): boolean {
  return type === 'float32' || type === 'float64' || type === 'float16' || type === 'bfloat16';
}
