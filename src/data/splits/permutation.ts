import { mixSeed } from '../../random.ts';

const ROUNDS = 6;

/**
 * A pseudo-random permutation of 0 .. size-1 that is computed position by position: no list of the order is held,
 * so a run that goes on at any batch needs nothing but the seed.
 *
 * A balanced Feistel network (Luby and Rackoff 1988, "How to construct pseudorandom permutations from pseudorandom
 * functions") permutes the smallest even number of bits that holds `size`; what falls outside walks on along its
 * cycle until it is inside (Black and Rogaway 2002, "Ciphers with arbitrary finite domains"). The domain is less
 * than four times `size`, so a position takes fewer than four walks on average.
 */
export class Permutation {
  readonly size: number;
  readonly #halfBits: number;
  readonly #halfMask: number;
  readonly #keys: Int32Array;

  /** At most 2^30 positions. `labels` name what is permuted, as in `randomStream`. */
  constructor(size: number, seed: number, ...labels: (string | number)[]) {
    if (!(Number.isInteger(size) && size >= 0 && size <= 2 ** 30)) throw new Error(`cannot permute ${size}`);
    this.size = size;
    let halfBits = 1;
    while (2 ** (2 * halfBits) < size) halfBits++;
    this.#halfBits = halfBits;
    this.#halfMask = 2 ** halfBits - 1;
    this.#keys = Int32Array.from({ length: ROUNDS }, (_, round) => mixSeed(seed, ...labels, round));
  }

  /** Where position `index` goes. */
  at(index: number): number {
    if (!(index >= 0 && index < this.size)) throw new Error(`position ${index} is not below ${this.size}`);
    let value = index;
    do value = this.#round(value);
    while (value >= this.size);
    return value;
  }

  #round(value: number): number {
    let left = value >>> this.#halfBits;
    let right = value & this.#halfMask;
    for (let round = 0; round < ROUNDS; round++) {
      const mixed = left ^ (scramble(right ^ (this.#keys[round] as number)) & this.#halfMask);
      left = right;
      right = mixed;
    }
    return (left << this.#halfBits) | right;
  }
}

/** The final mixing of MurmurHash3 (Appleby 2011): every bit in flips about half of the bits out. */
function scramble(value: number): number {
  let hash = value;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
