/** IEEE 754 half precision, as raw 16-bit words, since JavaScript on Node 20 has no Float16Array. */

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The largest finite float16. */
export const FLOAT16_MAX = 65504;

/**
 * Rounds to float16 (to nearest, ties to even) and writes the words to `into`.
 *
 * @returns the position of the first finite value that is too large for float16 (it became infinite), or -1.
 */
export function encodeFloat16(values: Float32Array, into: Uint16Array): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let overflow = -1;
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i] as number;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    let half: number;
    if (magnitude >= 0x38800000 && magnitude < 0x477ff000) {
      // Normal in float16: drop 13 bits of the mantissa, rounding half to even, and move the exponent's bias.
      half = (magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13;
    } else if (magnitude < 0x38800000) {
      // Subnormal: at 0.5 the steps of float32 are those of float16's subnormals, so the addition rounds.
      scratchBits[0] = magnitude;
      scratch[0] = (scratch[0] as number) + 0.5;
      half = (scratchBits[0] as number) - 0x3f000000;
    } else if (magnitude > 0x7f800000) {
      half = 0x7e00 | ((magnitude >>> 13) & 0x1ff);
    } else {
      half = 0x7c00;
      if (magnitude < 0x7f800000 && overflow < 0) overflow = i;
    }
    into[i] = sign | half;
  }
  return overflow;
}

let table: Float32Array | undefined;

/** Writes the values of float16 words to `into`, from its position `offset`. */
export function decodeFloat16(words: Uint16Array, into: Float32Array, offset = 0): void {
  table ??= Float32Array.from({ length: 0x10000 }, (_, word) => float16Value(word));
  for (let i = 0; i < words.length; i++) into[offset + i] = table[words[i] as number] as number;
}

/** The value of one float16 word. */
export function float16Value(word: number): number {
  const sign = word & 0x8000 ? -1 : 1;
  const exponent = (word >>> 10) & 0x1f;
  const mantissa = word & 0x3ff;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
