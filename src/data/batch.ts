/** The length of a sample key: the first 16 bytes of a SHA-256 over the sample's text. */
export const SAMPLE_KEY_BYTES = 16;

/**
 * A batch of tokenized texts for a step compiled for `rows` x `length`. A short last batch is filled with empty
 * rows (mask 0 but for the first token, label -1) and says so by `filled`.
 */
export interface TokenBatch {
  /** B, the compiled batch size. */
  readonly rows: number;
  /** T, the bucket's length in tokens. */
  readonly length: number;
  /** How many rows are real samples. */
  readonly filled: number;
  /** int64 [B, T]. */
  readonly ids: BigInt64Array;
  /** int64 [B, T], 1 for a token and 0 for padding. */
  readonly mask: BigInt64Array;
  /** int32 [B]; -1 where the label is unknown or hidden. */
  readonly labels: Int32Array;
  /** The samples' keys, SAMPLE_KEY_BYTES each, `filled` of them. */
  readonly keys: Uint8Array;
  /** Positions of the samples in their split, for looking up text and id; `filled` of them are meaningful. */
  readonly ordinals: Uint32Array;
}
