import type { Batch } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import { Permutation } from '../../data/splits/permutation.ts';
import type { ValidationBatches } from '../../train/trained-weights.ts';
import { trainingBatch } from './sample-batches.ts';

export interface ValidationBatchOptions {
  readonly split: Split;
  /** The sizes of the training steps, by name. */
  readonly variants: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly seed: number;
}

/**
 * Batches of a held-out split in the sizes of training steps, in an order of their own that goes round and round. They
 * are always full: where a bucket has fewer samples than a batch has rows, some of them come twice.
 */
export function validationBatches(options: ValidationBatchOptions): ValidationBatches {
  const { split, variants, seed } = options;
  const orders = split.buckets.map(({ size }, bucket) => new Permutation(size, seed, 'validation', bucket));
  const buckets = new Map(Object.keys(variants).map((name) => [name, bucketOf(name)]));
  return {
    batch(variant, number) {
      const bucket = buckets.get(variant);
      if (bucket === undefined) return undefined;
      return { ...trainingBatch(read(bucket, rowsOf(variant), number)), variant };
    },
  };

  function rowsOf(variant: string): number {
    return variants[variant]?.batch as number;
  }

  /** The bucket whose batches have the sizes of a variant. */
  function bucketOf(variant: string): number | undefined {
    const sizes = Object.entries(variants[variant] ?? {});
    const found = split.buckets.findIndex(({ size }, bucket) => {
      if (size === 0) return false;
      const own = read(bucket, rowsOf(variant), 0).sizes;
      return sizes.every(([name, size]) => own[name] === size);
    });
    return found < 0 ? undefined : found;
  }

  function read(bucket: number, rows: number, number: number): Batch {
    const order = orders[bucket] as Permutation;
    const indices = Uint32Array.from({ length: rows }, (_, row) =>
      order.at((number * rows + row) % order.size),
    );
    return split.readBatch(bucket, indices, rows);
  }
}
