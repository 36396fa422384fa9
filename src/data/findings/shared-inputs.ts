import { crc32 } from '../../crc32.ts';
import { Column } from '../prepared/column.ts';

/** Held-out samples, and those of them that have an input of a training sample. */
export interface SharedInput {
  heldOut: number;
  shared: number;
}

/**
 * Counts held-out samples that share one of their inputs with a training sample: a sample of several inputs is known by all of
 * them, so that the captions of one image may be in different splits. Inputs are compared by CRC-32, four bytes a
 * training sample: of a million images some hundred are taken for others.
 */
export class SharedInputs {
  readonly #training = new Column((length) => new Uint32Array(length));
  /** By what they hold. */
  readonly #heldOut = new Map<number, number>();
  #count = 0;

  add(bytes: Uint8Array, isTraining: boolean): void {
    const hash = crc32(bytes);
    if (isTraining) {
      this.#training.push(hash);
      return;
    }
    this.#count++;
    this.#heldOut.set(hash, (this.#heldOut.get(hash) ?? 0) + 1);
  }

  result(): SharedInput {
    let shared = 0;
    const left = new Map(this.#heldOut);
    for (let i = 0; i < this.#training.length; i++) {
      const hash = this.#training.get(i);
      shared += left.get(hash) ?? 0;
      left.delete(hash);
    }
    return { heldOut: this.#count, shared };
  }
}
