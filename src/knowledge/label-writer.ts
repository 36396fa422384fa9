import type { TokenSpans } from '../data/batch.ts';
import { SAMPLE_KEY_BYTES } from '../data/batch.ts';
import { keyAt, type LabelSpace, sampleCount } from './label-space.ts';
import type { SizedAnswer } from './record.ts';
import { withoutPadding } from './true-length.ts';

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
  readonly #columns: readonly WaitingColumn[];
  readonly #capacity: number;
  readonly #keys: Uint8Array;
  readonly #waiting = new Set<string>();
  #count = 0;
  #since = performance.now();

  /** @param spaces by tap. */
  constructor(spaces: ReadonlyMap<string, LabelSpace>, largestBatch: number) {
    const values = [...spaces.values()].reduce((sum, { elements = 0 }) => sum + elements, 0);
    const rows = Math.min(
      ROWS_PER_TRANSACTION,
      Math.floor(BYTES_PER_TRANSACTION / (4 * Math.max(1, values))),
    );
    this.#capacity = Math.max(rows, largestBatch);
    this.#keys = new Uint8Array(this.#capacity * SAMPLE_KEY_BYTES);
    this.#columns = [...spaces].map(([tap, space]) =>
      space.elements === undefined
        ? new LengthColumn(tap, space)
        : new FixedColumn(tap, space, this.#capacity, space.elements),
    );
  }

  /** Whether the sample's labels wait to be committed. */
  holds(key: Uint8Array): boolean {
    return this.#waiting.has(name(key));
  }

  /**
   * Takes the labels of a batch: keys [n, SAMPLE_KEY_BYTES], and per tap [n, elements]; of answers of true length at the
   * padded length, of which `spans` are kept.
   */
  async add(
    keys: Uint8Array,
    labels: Readonly<Record<string, Float32Array>>,
    spans?: TokenSpans,
  ): Promise<void> {
    const count = sampleCount(keys);
    if (this.#count + count > this.#capacity) await this.flush();
    this.#keys.set(keys, this.#count * SAMPLE_KEY_BYTES);
    for (const column of this.#columns)
      column.add(labels[column.tap] as Float32Array, this.#count, count, spans);
    for (let i = 0; i < count; i++) this.#waiting.add(name(keyAt(keys, i)));
    this.#count += count;
    const bytes = this.#columns.reduce((sum, column) => sum + column.extraBytes, 0);
    if (bytes > BYTES_PER_TRANSACTION || performance.now() - this.#since > SECONDS_PER_TRANSACTION * 1000)
      await this.flush();
  }

  /** Commits what waits. */
  async flush(): Promise<void> {
    const count = this.#count;
    this.#count = 0;
    this.#waiting.clear();
    this.#since = performance.now();
    if (count === 0) return;
    const keys = this.#keys.subarray(0, count * SAMPLE_KEY_BYTES);
    for (const column of this.#columns) {
      const rows = column.take(count);
      // A sample may have been asked about for the sake of another tap: what was answered before stays.
      const lacking = this.#columns.length > 1 ? column.space.missing(keys) : undefined;
      if (!lacking || lacking.length === count) await column.space.put(keys, rows);
      else if (lacking.length > 0)
        await column.space.put(keysAt(keys, lacking), rowsAt(rows, lacking, count));
    }
  }
}

/** The labels of one tap that wait. */
interface WaitingColumn {
  readonly tap: string;
  readonly space: LabelSpace;
  /** Bytes that it holds beyond what was reserved at the start. */
  readonly extraBytes: number;
  add(values: Float32Array, at: number, count: number, spans?: TokenSpans): void;
  take(count: number): Float32Array | SizedAnswer[];
}

class FixedColumn implements WaitingColumn {
  readonly extraBytes = 0;
  readonly tap: string;
  readonly space: LabelSpace;
  readonly #elements: number;
  readonly #rows: Float32Array;

  constructor(tap: string, space: LabelSpace, capacity: number, elements: number) {
    this.tap = tap;
    this.space = space;
    this.#elements = elements;
    this.#rows = new Float32Array(capacity * elements);
  }

  add(values: Float32Array, at: number): void {
    this.#rows.set(values, at * this.#elements);
  }

  take(count: number): Float32Array {
    return this.#rows.subarray(0, count * this.#elements);
  }
}

class LengthColumn implements WaitingColumn {
  extraBytes = 0;
  readonly tap: string;
  readonly space: LabelSpace;
  #rows: SizedAnswer[] = [];

  constructor(tap: string, space: LabelSpace) {
    this.tap = tap;
    this.space = space;
  }

  add(values: Float32Array, _at: number, count: number, spans?: TokenSpans): void {
    if (!spans) throw new Error(`${this.tap} has answers of true length: where do the tokens lie?`);
    const width = values.length / count;
    for (let row = 0; row < count; row++) {
      const [start, length] = [spans.starts[row] as number, spans.lengths[row] as number];
      const whole = values.subarray(row * width, (row + 1) * width);
      const kept = withoutPadding(whole, this.space.info.dims, { padded: spans.padded, start, length });
      this.#rows.push({ length, values: kept });
      this.extraBytes += kept.byteLength;
    }
  }

  take(): SizedAnswer[] {
    const rows = this.#rows;
    this.#rows = [];
    this.extraBytes = 0;
    return rows;
  }
}

function keysAt(keys: Uint8Array, positions: readonly number[]): Uint8Array {
  const chosen = new Uint8Array(positions.length * SAMPLE_KEY_BYTES);
  positions.forEach((from, to) => {
    chosen.set(keyAt(keys, from), to * SAMPLE_KEY_BYTES);
  });
  return chosen;
}

function rowsAt(
  rows: Float32Array | readonly SizedAnswer[],
  positions: readonly number[],
  count: number,
): Float32Array | SizedAnswer[] {
  if (!(rows instanceof Float32Array)) return positions.map((from) => rows[from] as SizedAnswer);
  const width = rows.length / count;
  const chosen = new Float32Array(positions.length * width);
  positions.forEach((from, to) => {
    chosen.set(rows.subarray(from * width, (from + 1) * width), to * width);
  });
  return chosen;
}

function name(key: Uint8Array): string {
  return String.fromCharCode(...key);
}
