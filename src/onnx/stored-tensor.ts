import { bytesPerElement, type DataType, type TensorData } from './data-type.ts';
import { elementCount, type Tensor } from './tensor.ts';

/** Where the elements of a tensor lie: a range of a file, little-endian. */
export interface StoredRange {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

interface Source {
  readonly read: () => TensorData;
  readonly chunks: (() => Iterable<Uint8Array>) | undefined;
  readonly range: StoredRange | undefined;
}

const sources = new WeakMap<Tensor, Source>();

/**
 * A tensor whose elements are read when they are looked at, and let go again: a graph of such weights takes no more memory than
 * its nodes. What was read stays for as long as the collector leaves it, so that a loop over `data` reads once.
 *
 * @param read gives the elements, in memory of their own
 * @param range where they lie as they are, for files that refer to it
 * @param chunks gives their bytes one after another, in memory that is used again
 */
export function storedTensor(
  type: Exclude<DataType, 'string'>,
  dims: readonly number[],
  read: () => TensorData,
  range?: StoredRange,
  chunks?: () => Iterable<Uint8Array>,
): Tensor {
  let held: WeakRef<TensorData> | undefined;
  const tensor: Tensor = {
    type,
    dims: [...dims],
    get data() {
      const known = held?.deref();
      if (known) return known;
      const data = read();
      held = new WeakRef(data);
      return data;
    },
  };
  sources.set(tensor, { read, range, chunks });
  return tensor;
}

/** Whether a tensor's elements are read when they are looked at. */
export function isStored(tensor: Tensor): boolean {
  return sources.has(tensor);
}

/** Where a tensor's elements lie in a file; undefined where they lie in memory, or are computed. */
export function rangeOf(tensor: Tensor): StoredRange | undefined {
  return sources.get(tensor)?.range;
}

/** The bytes of a stored tensor in chunks, each gone when the next one is asked for; undefined where they are had whole alone. */
export function chunksOf(tensor: Tensor): Iterable<Uint8Array> | undefined {
  return sources.get(tensor)?.chunks?.();
}

/** A tensor's elements, for who looks at them once: nothing is kept of those that are stored. */
export function elementsOnce(tensor: Tensor): TensorData {
  return sources.get(tensor)?.read() ?? tensor.data;
}

/** The bytes of a tensor's elements, told without reading them. Strings have none. */
export function tensorByteLength({ type, dims }: Tensor): number {
  return type === 'string' ? 0 : elementCount(dims) * bytesPerElement(type);
}
