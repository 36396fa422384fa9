import { mixSeed } from '../../random.ts';
import { littleEndian } from './hash-of-key.ts';

/** Numbers that the lower half of a hash can be. */
const LOWER = 2 ** 21;

/**
 * Chooses at most `perClass` samples of each class, uniformly: those with the smallest seeded hashes of their text.
 * The choice does not depend on the order in which samples come, and a larger number contains a smaller one.
 */
export class LabelSelection {
  readonly #perClass: number;
  readonly #seedHigh: number;
  readonly #seedLow: number;
  /** For each class a heap whose first element has the largest hash. */
  readonly #heaps: { hash: number; sample: number }[][] = [];

  constructor(perClass: number, seed: number) {
    this.#perClass = perClass;
    this.#seedHigh = mixSeed(seed, 'labelled', 'high');
    this.#seedLow = mixSeed(seed, 'labelled', 'low');
  }

  /** `key` is the sample's key, of which 8 bytes are mixed with the seed. */
  offer(sample: number, label: number, key: Uint8Array): void {
    this.#heaps[label] ??= [];
    const heap = this.#heaps[label];
    const [first, second] = [littleEndian(key, 0), littleEndian(key, 4)];
    const high = mixSeed(this.#seedHigh, first, second) >>> 0;
    // Of most samples the upper half of the hash tells already that it is too large.
    if (heap.length >= this.#perClass && high > (heap[0]?.hash ?? 0) / LOWER) return;
    const low = mixSeed(this.#seedLow, second, first) >>> 0;
    const entry = { hash: high * LOWER + (low >>> 11), sample };
    if (heap.length < this.#perClass) {
      heap.push(entry);
      siftUp(heap);
    } else if (entry.hash < (heap[0]?.hash ?? 0)) {
      heap[0] = entry;
      siftDown(heap);
    }
  }

  /** The samples chosen of all classes. */
  chosen(): Set<number> {
    return new Set(this.#heaps.flatMap((heap) => heap.map(({ sample }) => sample)));
  }
}

type Heap = { hash: number; sample: number }[];

function siftUp(heap: Heap): void {
  for (let at = heap.length - 1; at > 0; ) {
    const parent = (at - 1) >>> 1;
    if ((heap[parent] as Heap[0]).hash >= (heap[at] as Heap[0]).hash) return;
    swap(heap, at, parent);
    at = parent;
  }
}

function siftDown(heap: Heap): void {
  for (let at = 0; ; ) {
    let largest = at;
    for (const child of [2 * at + 1, 2 * at + 2]) {
      if (child < heap.length && (heap[child] as Heap[0]).hash > (heap[largest] as Heap[0]).hash)
        largest = child;
    }
    if (largest === at) return;
    swap(heap, at, largest);
    at = largest;
  }
}

function swap(heap: Heap, a: number, b: number): void {
  const entry = heap[a] as Heap[0];
  heap[a] = heap[b] as Heap[0];
  heap[b] = entry;
}
