import { createSha256 } from '../../platform/hash.ts';
import { type Batch, columnOf, SAMPLE_KEY_BYTES } from '../batch.ts';
import { keyOf } from '../batches/batch-rows.ts';
import { LABELS, PIXEL_VALUES } from '../columns.ts';
import type { Example, Split } from '../split.ts';

/** Reads what is added to the pixels of samples: float32 [keys, pixels]. */
export type ReadDisturbance = (keys: Uint8Array, to: Float32Array) => void;

/**
 * Chosen images of another split, each with a disturbance added to its pixels: adversarial samples. They have no label
 * of their own: the teacher is asked what it sees.
 */
export class DisturbedSplit implements Split {
  readonly name = 'adversarial';
  readonly size: number;
  readonly buckets: readonly { readonly size: number }[];
  readonly #of: Split;
  readonly #chosen: ArrayLike<number>;
  readonly #read: ReadDisturbance;
  readonly #method: string;

  /**
   * @param chosen positions of images in their split
   * @param method what made the disturbance, with its settings: part of the samples' keys
   */
  constructor(of: Split, chosen: ArrayLike<number>, read: ReadDisturbance, method: string) {
    this.#of = of;
    this.#chosen = chosen;
    this.#read = read;
    this.#method = method;
    this.size = chosen.length;
    this.buckets = [{ size: chosen.length }];
  }

  readBatch(bucket: number, indices: ArrayLike<number>, rows: number): Batch {
    const own = Array.from(indices, (index) => this.#chosen[index] as number);
    const batch = this.#of.readBatch(bucket, own, rows);
    const { keys, ordinals, filled } = batch;
    const pixels = columnOf(batch, PIXEL_VALUES).data as Float32Array;
    const width = pixels.length / rows;
    const added = new Float32Array(filled * width);
    this.#read(keys, added);
    for (let i = 0; i < added.length; i++) (pixels[i] as number) += added[i] as number;
    for (const [name, { data }] of Object.entries(batch.columns))
      if (name === LABELS || name.startsWith(`${LABELS}/`)) (data as Float32Array).fill(-1);
    for (let row = 0; row < filled; row++) {
      const key = createSha256().update(keyOf(batch, row)).update(this.#method).digest();
      keys.set(key.subarray(0, SAMPLE_KEY_BYTES), row * SAMPLE_KEY_BYTES);
      ordinals[row] = indices[row] as number;
    }
    return batch;
  }

  example(ordinal: number): Example {
    const { ordinals } = this.#of.readBatch(0, [this.#chosen[ordinal] as number], 1);
    const { text, picture } = this.#of.example(ordinals[0] as number);
    return { text: `${text}, disturbed`, picture };
  }

  close(): void {}
}
