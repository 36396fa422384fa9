import type { Batch } from '../batch.ts';
import { copyRow, emptyLike } from '../batches/batch-rows.ts';
import type { Example, Split } from '../split.ts';

/**
 * A split with the samples of others behind its own, bucket by bucket: positions in a bucket count through the first's,
 * then the second's, and so on; ordinals do so too. All have the same buckets.
 */
export class JoinedSplit implements Split {
  readonly name: string;
  readonly size: number;
  readonly buckets: readonly { readonly size: number; readonly length?: number }[];
  readonly #parts: readonly Split[];

  constructor(parts: readonly [Split, ...Split[]]) {
    const [first] = parts;
    this.#parts = parts;
    this.name = first.name;
    this.size = parts.reduce((sum, { size }) => sum + size, 0);
    this.buckets = first.buckets.map((bucket, i) => ({
      ...bucket,
      size: parts.reduce((sum, { buckets }) => sum + (buckets[i]?.size ?? 0), 0),
    }));
  }

  readBatch(bucket: number, indices: ArrayLike<number>, rows: number): Batch {
    const taken = this.#parts.map(() => ({ rows: [] as number[], indices: [] as number[] }));
    for (let row = 0; row < indices.length; row++) {
      let index = indices[row] as number;
      const part = this.#parts.findIndex(({ buckets }) => {
        const size = buckets[bucket]?.size ?? 0;
        if (index < size) return true;
        index -= size;
        return false;
      });
      if (part < 0) throw new Error(`sample ${indices[row]} is not in bucket ${bucket}`);
      taken[part]?.rows.push(row);
      taken[part]?.indices.push(index);
    }
    const alone = taken.findIndex((one) => one.indices.length === indices.length);
    if (alone === 0) return this.#parts[0]!.readBatch(bucket, indices, rows);
    let batch: Batch | undefined;
    let before = 0;
    this.#parts.forEach((part, p) => {
      const { rows: places, indices: own } = taken[p]!;
      if (own.length > 0) {
        const read = part.readBatch(bucket, own, own.length);
        batch ??= emptyLike(read, rows, indices.length);
        for (const [i, row] of places.entries()) {
          copyRow(read, i, batch, row);
          batch.ordinals[row] = before + (read.ordinals[i] as number);
        }
      }
      before += part.size;
    });
    return batch ?? this.#parts[0]!.readBatch(bucket, indices, rows);
  }

  example(ordinal: number): Example {
    let place = ordinal;
    for (const part of this.#parts) {
      if (place < part.size) return part.example(place);
      place -= part.size;
    }
    throw new Error(`no sample ${ordinal} in ${this.name}`);
  }

  close(): void {
    for (const part of this.#parts) part.close();
  }
}
