import type { Batch } from './batch.ts';

/** What a person is shown of a sample. */
export interface Example {
  readonly text: string;
  /** A data URI: the sample where it is an image, a drawing of it where it is audio. */
  readonly picture?: string;
  /** A data URI, for audio that is short enough to be listened to. */
  readonly sound?: string;
}

/** What batches are drawn from: a split's samples, in buckets of one shape each. */
export interface Split {
  readonly name: string;
  /** Samples in all buckets. */
  readonly size: number;
  /** `length`: what texts in it are padded to, in tokens. */
  readonly buckets: readonly { readonly size: number; readonly length?: number }[];
  /**
   * Reads the samples at `indices` (positions in the bucket, at most `rows`) as a batch of `rows`; what is left is
   * filled with empty rows. The arrays are the caller's.
   */
  readBatch(bucket: number, indices: ArrayLike<number>, rows: number): Batch;
  /** A sample as a person sees it, by its position in the split (`Batch.ordinals`). */
  example(ordinal: number): Example;
  close(): void;
}
