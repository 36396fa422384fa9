import { type Batch, labelsOf } from '../batch.ts';
import type { Example, Split } from '../split.ts';
import { sequentialBatches } from './batch-order.ts';

/** Where a sample lies in its split. */
export interface SamplePlace {
  readonly bucket: number;
  /** Its position in the bucket. */
  readonly index: number;
}

const READ_ROWS = 256;

/**
 * Some samples of a split as a split of its own: it holds their positions (4 bytes each) and copies nothing. Ordinals
 * are those of the whole split, and so are the samples' keys.
 */
export class ChosenSamples implements Split {
  readonly name: string;
  readonly size: number;
  readonly buckets: Split['buckets'];
  readonly #whole: Split;
  readonly #indices: readonly Uint32Array[];

  /** @param indices of the samples, by bucket; a bucket may have none */
  constructor(whole: Split, indices: readonly Uint32Array[]) {
    this.name = whole.name;
    this.#whole = whole;
    this.#indices = indices;
    this.buckets = whole.buckets.map((bucket, i) => ({ ...bucket, size: indices[i]?.length ?? 0 }));
    this.size = this.buckets.reduce((sum, { size }) => sum + size, 0);
  }

  /** Where a sample of this view lies in the whole split. */
  place(bucket: number, index: number): SamplePlace {
    const position = this.#indices[bucket]?.[index];
    if (position === undefined) throw new Error(`no sample ${index} in bucket ${bucket} of ${this.name}`);
    return { bucket, index: position };
  }

  /** All its samples, bucket by bucket. */
  *places(): Generator<SamplePlace> {
    for (const [bucket, indices] of this.#indices.entries())
      for (const index of indices) yield { bucket, index };
  }

  readBatch(bucket: number, indices: ArrayLike<number>, rows: number): Batch {
    const places = Uint32Array.from(indices, (index) => this.place(bucket, index).index);
    return this.#whole.readBatch(bucket, places, rows);
  }

  example(ordinal: number): Example {
    return this.#whole.example(ordinal);
  }

  /** The whole split is its owner's. */
  close(): void {}
}

/** The samples at some places of a split. */
export function samplesAt(split: Split, places: Iterable<SamplePlace>): ChosenSamples {
  const indices = split.buckets.map(() => [] as number[]);
  for (const { bucket, index } of places) (indices[bucket] as number[]).push(index);
  return new ChosenSamples(
    split,
    indices.map((list) => Uint32Array.from(list)),
  );
}

/** The samples of each group of classes: reads the labels of the whole split once. */
export function samplesByClasses(split: Split, groups: readonly (readonly number[])[]): ChosenSamples[] {
  const groupOf = new Map(groups.flatMap((classes, group) => classes.map((label) => [label, group])));
  const places = groups.map(() => [] as SamplePlace[]);
  for (const { bucket, indices } of sequentialBatches(split, READ_ROWS)) {
    const labels = labelsOf(split.readBatch(bucket, indices, indices.length));
    indices.forEach((index, row) => {
      const group = groupOf.get(labels[row] as number);
      if (group !== undefined) (places[group] as SamplePlace[]).push({ bucket, index });
    });
  }
  return places.map((own) => samplesAt(split, own));
}
