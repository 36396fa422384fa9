const float32 = new Float32Array(1);
const bits32 = new Uint32Array(float32.buffer);

/** The IEEE 754 half-precision word nearest to a number (ties to even). */
export function toFloat16(value: number): number {
  float32[0] = value;
  const bits = bits32[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200);
  const shifted = exponent - 127 + 15;
  if (shifted >= 31) return sign | 0x7c00;
  if (shifted > 0) return sign | roundShift((shifted << 23) | fraction, 13);
  // Subnormal: the hidden bit becomes visible and moves right.
  const shift = 14 - shifted;
  return shift > 24 ? sign : sign | roundShift(fraction | 0x800000, shift);
}

/** The number that a half-precision word stands for. */
export function fromFloat16(word: number): number {
  const sign = word & 0x8000 ? -1 : 1;
  const exponent = (word >>> 10) & 0x1f;
  const fraction = word & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The bfloat16 word nearest to a number: the upper half of its float32. */
export function toBfloat16(value: number): number {
  float32[0] = value;
  const bits = bits32[0]!;
  if (Number.isNaN(value)) return 0x7fc0;
  return roundShift(bits, 16) & 0xffff;
}

export function fromBfloat16(word: number): number {
  bits32[0] = word << 16;
  return float32[0]!;
}

/** Moves bits right and rounds to the nearest, ties to even; a carry into the exponent is right as it is. */
function roundShift(bits: number, count: number): number {
  const kept = bits >>> count;
  const rest = (bits >>> 0) - kept * 2 ** count;
  const half = 2 ** (count - 1);
  return kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0);
}
