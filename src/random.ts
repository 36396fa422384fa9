import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random numbers. Every draw advances it. */
export interface RandomStream {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** Standard normal (Box-Muller, one value per call). */
  normal(): number;
}

/** A 32-bit FNV-1a hash of the parts, with a final avalanche (murmur3's), so that near labels give far seeds. */
export function mixSeed(...parts: (string | number)[]): number {
  let hash = 0x811c9dc5;
  for (const part of parts) {
    const text = `${part}\u0000`;
    for (let i = 0; i < text.length; i++) {
      const code = text.codePointAt(i) as number;
      // Beyond 16 bits a character takes two places of a string.
      if (code > 0xffff) i++;
      hash ^= code;
      hash = Math.imul(hash, 0x01000193);
    }
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/**
 * The random stream for one purpose, for example `randomStream(seed, 'dropout', epoch, batch)`.
 *
 * All randomness of a run comes from the recipe's seed through such streams. A stream is a function of its
 * labels alone, never of what was drawn before elsewhere: that is what lets a resumed run end in the same bits.
 */
export function randomStream(seed: number, ...labels: (string | number)[]): RandomStream {
  const generator = xoroshiro128plus(mixSeed(seed, ...labels));
  const uniform = () => uniformFloat64(generator);
  return {
    uniform,
    integer: (bound) => uniformInt(generator, 0, bound - 1),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}
