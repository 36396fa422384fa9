import { SAMPLE_KEY_BYTES } from '../data/batch.ts';
import { keyAt, type LabelSpace, sampleCount } from './label-space.ts';

/**
 * A transaction waits for the disk once and writes each page that it touches: the more rows share them, the faster
 * (per 128 rows of 56 bytes: 6.4 ms in transactions of 128, 3.2 in 512, 2.0 in 2,048), but the more pages of the
 * file are old copies.
 */
export const ROWS_PER_TRANSACTION = 1024;
const BYTES_PER_TRANSACTION = 2 ** 25;
/** What a killed process may lose at most. */
const SECONDS_PER_TRANSACTION = 2;

/** Collects fresh labels and commits them to their spaces, many at a time. */
export class LabelWriter {
  readonly #spaces: ReadonlyMap<string, LabelSpace>;
  readonly #capacity: number;
  readonly #keys: Uint8Array;
  readonly #rows = new Map<string, Float32Array>();
  readonly #waiting = new Set<string>();
  #count = 0;
  #since = performance.now();

  /** @param spaces by tap. */
  constructor(spaces: ReadonlyMap<string, LabelSpace>, largestBatch: number) {
    this.#spaces = spaces;
    const values = [...spaces.values()].reduce((sum, space) => sum + space.elements, 0);
    const rows = Math.min(ROWS_PER_TRANSACTION, Math.floor(BYTES_PER_TRANSACTION / (4 * values)));
    this.#capacity = Math.max(rows, largestBatch);
    this.#keys = new Uint8Array(this.#capacity * SAMPLE_KEY_BYTES);
    for (const [tap, space] of spaces) this.#rows.set(tap, new Float32Array(this.#capacity * space.elements));
  }

  /** Whether the sample's labels wait to be committed. */
  holds(key: Uint8Array): boolean {
    return this.#waiting.has(name(key));
  }

  /** Takes the labels of a batch: keys [n, SAMPLE_KEY_BYTES], and per tap [n, elements]. */
  async add(keys: Uint8Array, labels: Readonly<Record<string, Float32Array>>): Promise<void> {
    const count = sampleCount(keys);
    if (this.#count + count > this.#capacity) await this.flush();
    this.#keys.set(keys, this.#count * SAMPLE_KEY_BYTES);
    for (const [tap, space] of this.#spaces) {
      this.#rows.get(tap)?.set(labels[tap] as Float32Array, this.#count * space.elements);
    }
    for (let i = 0; i < count; i++) this.#waiting.add(name(keyAt(keys, i)));
    this.#count += count;
    if (performance.now() - this.#since > SECONDS_PER_TRANSACTION * 1000) await this.flush();
  }

  /** Commits what waits. */
  async flush(): Promise<void> {
    const count = this.#count;
    this.#count = 0;
    this.#waiting.clear();
    this.#since = performance.now();
    if (count === 0) return;
    for (const [tap, space] of this.#spaces) {
      const rows = this.#rows.get(tap) as Float32Array;
      await space.put(
        this.#keys.subarray(0, count * SAMPLE_KEY_BYTES),
        rows.subarray(0, count * space.elements),
      );
    }
  }
}

function name(key: Uint8Array): string {
  return String.fromCharCode(...key);
}
