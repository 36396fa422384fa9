import { tensor } from '../../onnx/tensor.ts';
import { numbersIn } from '../../platform/bytes.ts';
import * as fs from '../../platform/files.ts';
import { createSha256 } from '../../platform/hash.ts';
import { openRegularFile, readRegularFile } from '../../regular-file.ts';
import { type Batch, SAMPLE_KEY_BYTES } from '../batch.ts';
import { PIXEL_VALUES } from '../columns.ts';
import type { Example, Split } from '../split.ts';
import { targetColumns } from '../target-columns.ts';
import { type Augmentation, PLAIN, viewOf, writeView } from './augmentation.ts';
import { pictureUri } from './picture-uri.ts';

/** A picture's label is as many bytes before its pixels. */
export const LABEL_BYTES = 4;

/** (pixel / 255 - mean) / deviation, by channel. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

export interface ImageFile {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** [channels, height, width]. */
  readonly dims: readonly [number, number, number];
  readonly labels: readonly string[];
  readonly normalization: Normalization;
}

/** Files up to this size are read into memory; others are read where they lie. */
const HELD_BYTES = 64e6;

/**
 * A split of pictures that lies in one file, read by random access. With an augmentation it has `views` variants of
 * every picture: sample `view * pictures + picture`.
 */
export class ImageSplit implements Split {
  readonly name: string;
  readonly size: number;
  /** Pictures in the file, whatever the number of their views. */
  readonly pictures: number;
  readonly buckets: readonly { readonly size: number }[];
  readonly #file: ImageFile;
  readonly #views: { readonly augmentation: Augmentation; readonly seed: number } | null;
  readonly #pixels: number;
  readonly #tables: readonly Float32Array[];
  #descriptor: number | undefined;
  #held: Uint8Array | undefined;

  constructor(file: ImageFile, views?: { augmentation: Augmentation; seed: number; count: number }) {
    this.#file = file;
    this.#views = views ?? null;
    this.name = file.name;
    this.pictures = file.size;
    this.size = file.size * (views?.count ?? 1);
    this.buckets = [{ size: this.size }];
    this.#pixels = file.dims.reduce((product, size) => product * size, 1);
    const { mean, deviation } = file.normalization;
    this.#tables = mean.map((value, channel) =>
      Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - value) / (deviation[channel] as number)),
    );
  }

  /** The same pictures in `count` views each. */
  withViews(augmentation: Augmentation, seed: number, count: number): ImageSplit {
    return new ImageSplit(this.#file, { augmentation, seed, count });
  }

  readBatch(_bucket: number, indices: ArrayLike<number>, rows: number): Batch {
    const { dims } = this.#file;
    const filled = indices.length;
    if (filled > rows) throw new Error(`${filled} samples do not fit a batch of ${rows}`);
    const pixels = new Float32Array(rows * this.#pixels);
    const labels = new Int32Array(rows).fill(-1);
    const keys = new Uint8Array(filled * SAMPLE_KEY_BYTES);
    const shown = new Uint8Array(this.#pixels);
    for (let row = 0; row < filled; row++) {
      const index = indices[row] as number;
      labels[row] = this.#readView(index, shown);
      const key = createSha256().update(shown).digest();
      keys.set(key.subarray(0, SAMPLE_KEY_BYTES), row * SAMPLE_KEY_BYTES);
      this.#normalize(shown, pixels.subarray(row * this.#pixels, (row + 1) * this.#pixels));
    }
    return {
      rows,
      filled,
      keys,
      ordinals: Uint32Array.from(indices),
      sizes: { batch: rows },
      columns: {
        [PIXEL_VALUES]: tensor('float32', [rows, ...dims], pixels),
        ...targetColumns(labels, filled),
      },
    };
  }

  example(ordinal: number): Example {
    const shown = new Uint8Array(this.#pixels);
    const label = this.#readView(ordinal, shown);
    const text = `${this.name} ${(ordinal % this.pictures) + 1}: ${this.#file.labels[label] ?? 'no label'}`;
    return { text, picture: pictureUri(shown, this.#file.dims) };
  }

  /** The bytes of a sample, [channels, height, width]. */
  pixels(ordinal: number): Uint8Array {
    const bytes = new Uint8Array(this.#pixels);
    this.#readView(ordinal, bytes);
    return bytes;
  }

  close(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#held = undefined;
  }

  /** Writes the bytes of a sample to `to`; returns its label. */
  #readView(index: number, to: Uint8Array): number {
    if (!(index >= 0 && index < this.size))
      throw new Error(`sample ${index} is not in the split of ${this.size}`);
    const picture = index % this.pictures;
    const record = this.#record(picture);
    const view = this.#views
      ? viewOf(this.#views.augmentation, this.#views.seed, picture, Math.floor(index / this.pictures))
      : PLAIN;
    writeView(record.subarray(LABEL_BYTES), to, this.#file.dims, view);
    return numbersIn(record).getInt32(0, true);
  }

  /** Bytes that reading it keeps in memory: all of it, or nothing. */
  get heldBytes(): number {
    const bytes = this.#file.size * (LABEL_BYTES + this.#pixels);
    return bytes <= HELD_BYTES ? bytes : 0;
  }

  #record(picture: number): Uint8Array {
    const bytes = LABEL_BYTES + this.#pixels;
    if (this.heldBytes > 0) {
      this.#held ??= readRegularFile(this.#file.path);
      return this.#held.subarray(picture * bytes, (picture + 1) * bytes);
    }
    this.#descriptor ??= openRegularFile(this.#file.path);
    const record = new Uint8Array(bytes);
    const read = fs.readSync(this.#descriptor, record, 0, bytes, picture * bytes);
    if (read < bytes) throw new Error(`${this.#file.path} ends within picture ${picture}`);
    return record;
  }

  #normalize(from: Uint8Array, to: Float32Array): void {
    const [channels] = this.#file.dims;
    const plane = this.#pixels / channels;
    for (let channel = 0; channel < channels; channel++) {
      const table = this.#tables[channel] as Float32Array;
      const end = (channel + 1) * plane;
      for (let i = channel * plane; i < end; i++) to[i] = table[from[i] as number] as number;
    }
  }
}
