import { arrayTypeOf, DATA_TYPE_CODES, type DataType } from '../onnx/data-type.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { base64Of, fromBase64 } from '../platform/bytes.ts';
import type { Feeds } from './measurement.ts';

/** A tensor on its way to or from a page: its bytes as text. */
export interface SentTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly bytes: string;
}

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
      if (!isHeld(type)) throw new Error(`no tensors of ${type}`);
      const Words = arrayTypeOf(type);
      // Of its own: what base64 gives may begin anywhere in memory.
      const data = new Words(new Uint8Array(fromBase64(bytes)).buffer);
      return [name, { type, dims, data } as Tensor];
    }),
  );
}

/** Whether a page's word is a type whose elements have a size. */
function isHeld(type: string): type is Exclude<DataType, 'string'> {
  return Object.hasOwn(DATA_TYPE_CODES, type) && type !== 'string';
}
