import { createHash } from 'node:crypto';
import { type Batch, columnOf, SAMPLE_KEY_BYTES } from '../../data/batch.ts';
import { targetColumns } from '../../data/batches/target-columns.ts';
import { ATTENTION_MASK, INPUT_IDS, SEQUENCE } from '../../data/columns.ts';
import { tensor } from '../../onnx/tensor.ts';
import type { Teacher } from '../../teachers/teacher.ts';
import type { LabelSplit } from '../label.ts';

/** The key of a made-up sample. */
export function keyOf(sample: number): Uint8Array {
  return createHash('sha256').update(`sample ${sample}`).digest().subarray(0, SAMPLE_KEY_BYTES);
}

/** The keys of samples, one after another. */
export function keysOf(samples: readonly number[]): Uint8Array {
  const keys = new Uint8Array(samples.length * SAMPLE_KEY_BYTES);
  samples.forEach((sample, i) => {
    keys.set(keyOf(sample), i * SAMPLE_KEY_BYTES);
  });
  return keys;
}

/** The token that stands for a sample in a made-up split; 0 is padding. */
const tokenOf = (sample: number) => BigInt(sample + 1);

/** What the made-up teacher answers about a sample: whole numbers, exact in float16 for samples up to 2,048. */
export function answer(sample: number, dims: number): Float32Array {
  return Float32Array.from({ length: dims }, (_, i) => (i % 2 === 0 ? sample : -(i % 1000)));
}

/** A split of made-up samples; odd ones are in the bucket of length 2, even ones in that of length 4. */
export function fakeSplit(samples: readonly number[]): LabelSplit {
  return {
    *batches(rows: number) {
      for (const parity of [0, 1]) {
        const bucket = samples.filter((sample) => sample % 2 === parity);
        for (let start = 0; start < bucket.length; start += rows) {
          yield batchOf(bucket.slice(start, start + rows), rows, parity === 0 ? 4 : 2);
        }
      }
    },
  };
}

export function batchOf(samples: readonly number[], rows: number, length: number): Batch {
  const ids = new BigInt64Array(rows * length);
  const mask = new BigInt64Array(rows * length);
  samples.forEach((sample, row) => {
    ids[row * length] = tokenOf(sample);
  });
  for (let row = 0; row < rows; row++) mask[row * length] = 1n;
  const ordinals = Uint32Array.from({ length: rows }, (_, row) => samples[row] ?? 0);
  const labels = new Int32Array(rows).fill(-1);
  return {
    rows,
    filled: samples.length,
    keys: keysOf(samples),
    ordinals,
    sizes: { batch: rows, [SEQUENCE]: length },
    columns: {
      [INPUT_IDS]: tensor('int64', [rows, length], ids),
      [ATTENTION_MASK]: tensor('int64', [rows, length], mask),
      ...targetColumns(labels, samples.length),
    },
  };
}

export interface FakeTeacher extends Teacher {
  /** How often it was asked about each sample. */
  readonly asked: Map<number, number>;
  /** How many rows the batches had that it was given. */
  readonly filled: number[];
}

/** A teacher that knows its samples by their first token. */
export function fakeTeacher({
  hash = 'abc123',
  taps = { logits: 3 },
  before,
}: {
  hash?: string;
  taps?: Record<string, number>;
  /** Runs before every answer. */
  before?: (batch: Batch) => void | Promise<void>;
} = {}): FakeTeacher {
  const asked = new Map<number, number>();
  const filled: number[] = [];
  const outputs = Object.fromEntries(
    Object.entries(taps).map(([tap, dims]) => [tap, { type: 'float32' as const, dims: [dims] }]),
  );
  return {
    title: 'a made-up teacher',
    hash,
    preprocessing: 'first token',
    outputs,
    asked,
    filled,
    async label(batch, wanted) {
      await before?.(batch);
      filled.push(batch.filled);
      const { data, dims } = columnOf(batch, INPUT_IDS);
      const samples = Array.from(
        { length: batch.filled },
        (_, row) => Number(data[row * (dims[1] as number)]) - 1,
      );
      for (const sample of samples) asked.set(sample, (asked.get(sample) ?? 0) + 1);
      return Object.fromEntries(
        wanted.map((tap) => {
          const dims = taps[tap] as number;
          const rows = new Float32Array(batch.filled * dims);
          samples.forEach((sample, row) => {
            rows.set(answer(sample, dims), row * dims);
          });
          return [tap, rows];
        }),
      );
    },
    async close() {},
  };
}

/** `count` whole numbers from `first`. */
export function range(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}
