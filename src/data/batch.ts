/** The length of a sample key: the first 16 bytes of a SHA-256 over the sample's content. */
export const SAMPLE_KEY_BYTES = 16;

/** What every batch has, for a step compiled for `rows` samples. A short last one says so by `filled`. */
export interface SampleBatch {
  /** B, the compiled batch size. */
  readonly rows: number;
  /** How many rows are real samples. */
  readonly filled: number;
  /** int32 [B]; -1 where the label is unknown or hidden. */
  readonly labels: Int32Array;
  /** The samples' keys, SAMPLE_KEY_BYTES each, `filled` of them. */
  readonly keys: Uint8Array;
  /** Positions of the samples in their split, for looking up what they are; `filled` of them are meaningful. */
  readonly ordinals: Uint32Array;
}

/**
 * A batch of tokenized texts for a step compiled for `rows` x `length`. What is left of a short one is filled with
 * empty rows (mask 0 but for the first token, label -1).
 */
export interface TokenBatch extends SampleBatch {
  /** T, the bucket's length in tokens. */
  readonly length: number;
  /** int64 [B, T]. */
  readonly ids: BigInt64Array;
  /** int64 [B, T], 1 for a token and 0 for padding. */
  readonly mask: BigInt64Array;
}

/** A batch of images of one size. What is left of a short one is filled with zeros (label -1). */
export interface ImageBatch extends SampleBatch {
  /** Normalised float32 [B, channels, height, width]. */
  readonly pixels: Float32Array;
  /** [channels, height, width]. */
  readonly dims: readonly [number, number, number];
}

export type Batch = TokenBatch | ImageBatch;
