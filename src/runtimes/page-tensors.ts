import type { DataType } from '../onnx/data-type.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { base64Of, fromBase64 } from '../platform/bytes.ts';
import type { Feeds } from './measurement.ts';

/** A tensor on its way to or from a page: its bytes as text. */
export interface SentTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly bytes: string;
}

/** The arrays that ONNX Runtime takes for each type; words for float16. */
const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
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

export function sentFeeds(feeds: Feeds): Record<string, SentTensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { type, dims, data }]) => {
      const { buffer, byteOffset, byteLength } = data as Float32Array;
      return [name, { type, dims, bytes: base64Of(new Uint8Array(buffer, byteOffset, byteLength)) }];
    }),
  );
}

export function receivedFeeds(sent: Readonly<Record<string, SentTensor>>): Feeds {
  return Object.fromEntries(
    Object.entries(sent).map(([name, { type, dims, bytes }]) => {
      const Words = ARRAYS[type as keyof typeof ARRAYS];
      if (!Words) throw new Error(`no tensors of ${type}`);
      // Of its own: what base64 gives may begin anywhere in memory.
      const data = new Words(new Uint8Array(fromBase64(bytes)).buffer);
      return [name, { type: type as DataType, dims, data } as Tensor];
    }),
  );
}
