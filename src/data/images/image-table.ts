import { hexOf } from '../../platform/bytes.ts';
import { createSha256 } from '../../platform/hash.ts';
import { mixSeed } from '../../random.ts';
import { SAMPLE_KEY_BYTES } from '../batch.ts';
import { Column } from '../column.ts';
import { hashOfKey } from '../hash-of-key.ts';
import { Permutation } from '../permutation.ts';
import { NOT_DRAWN, type SampleTable, TEST, TRAIN } from '../split-assignment.ts';
import type { ImageSource } from './image-source.ts';

/**
 * What splits are chosen by: the keys of a source's images, its training part first and then its test part. Images that
 * are known by their position are in the order that the seed gives to positions, and none is another's duplicate.
 */
export class ImageTable implements SampleTable {
  readonly #source: ImageSource;
  readonly #keys: Uint8Array[] = [];
  readonly #hashes = new Column((length) => new Uint32Array(length));
  readonly #labels = new Column((length) => new Int32Array(length));
  readonly #splits = new Column((length) => new Uint8Array(length));

  private constructor(source: ImageSource) {
    this.#source = source;
  }

  static async read(source: ImageSource, seed: number, signal?: AbortSignal): Promise<ImageTable> {
    const table = new ImageTable(source);
    for (const part of ['train', 'test'] as const) {
      const size = source.sizes[part];
      const order = new Permutation(size, seed, part === 'train' ? 'validation-pictures' : 'test-pictures');
      let index = 0;
      for await (const { pixels, label } of source.read(part)) {
        signal?.throwIfAborted();
        const key = createSha256().update(pixels).digest().subarray(0, SAMPLE_KEY_BYTES);
        table.#keys.push(key);
        table.#labels.push(label);
        table.#splits.push(part === 'train' ? TRAIN : TEST);
        const hash =
          source.identity === 'position'
            ? Math.floor((order.at(index) / size) * 2 ** 32)
            : mixSeed(seed, 'split', hexOf(key));
        table.#hashes.push(hash >>> 0);
        index++;
      }
    }
    return table;
  }

  get size(): number {
    return this.#keys.length;
  }

  key(sample: number): Uint8Array {
    return this.#keys[sample] as Uint8Array;
  }

  groupHash(sample: number): number {
    return this.#hashes.get(sample);
  }

  label(sample: number): number {
    return this.#labels.get(sample);
  }

  split(sample: number): number {
    return this.#splits.get(sample);
  }

  assign(sample: number, split: number): void {
    this.#splits.set(sample, split);
  }

  /** Leaves all but the first `count` training images out, in the order of their hashes. */
  keepFirst(count: number): void {
    const train = Array.from({ length: this.size }, (_, sample) => sample)
      .filter((sample) => this.split(sample) === TRAIN)
      .sort((a, b) => this.groupHash(a) - this.groupHash(b));
    for (const sample of train.slice(count)) this.assign(sample, NOT_DRAWN);
  }

  textHash(sample: number): number {
    return this.#source.identity === 'position' ? sample : this.contentHash(sample);
  }

  contentHash(sample: number): number {
    return hashOfKey(this.key(sample), 0);
  }

  /** The same, with images known by their pixels whatever the source says. */
  byContent(): SampleTable {
    const { size } = this;
    return {
      size,
      groupHash: (sample) => this.groupHash(sample),
      label: (sample) => this.label(sample),
      split: (sample) => this.split(sample),
      assign: (sample, split) => this.assign(sample, split),
      textHash: (sample) => this.contentHash(sample),
    };
  }
}
