/**
 * The bytes of a block of LZ4, which has no header: how many they are has to be known (LZ4 block format description, lz4.org).
 *
 * @param bytes that it has
 * @throws Error for a block that is not sound, or has another number of bytes
 */
export function lz4Block(input: Uint8Array, bytes: number): Uint8Array {
  const output = new Uint8Array(bytes);
  let [from, to] = [0, 0];
  /** A length that goes on in bytes of 255 and a last one. */
  const length = (start: number): number => {
    let total = start;
    for (let byte = start === 15 ? 255 : 0; byte === 255; total += byte) {
      if (from >= input.length) throw new Error('an LZ4 block is cut short');
      byte = input[from++] as number;
    }
    return total;
  };
  while (from < input.length) {
    const token = input[from++] as number;
    const literals = length(token >> 4);
    if (from + literals > input.length) throw new Error('an LZ4 block is cut short');
    if (to + literals > bytes) throw tooLong();
    output.set(input.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    // The last sequence is literals alone.
    if (from === input.length) break;
    const distance = (input[from] as number) | ((input[from + 1] ?? 0) << 8);
    from += 2;
    const match = length(token & 15) + 4;
    if (distance === 0 || distance > to) throw new Error('an LZ4 block points before its beginning');
    if (to + match > bytes) throw tooLong();
    // A match may overlap what it writes: then it repeats itself.
    for (const end = to + match; to < end; to++) output[to] = output[to - distance] as number;
  }
  if (to !== bytes) throw new Error('an LZ4 block is shorter than it says');
  return output;
}

/**
 * The same of what Parquet calls LZ4: blocks with their sizes before them, as Hadoop writes them, or, from some programs, a block alone.
 *
 * @throws Error as `lz4Block`
 */
export function hadoopLz4(input: Uint8Array, bytes: number): Uint8Array {
  const sizes = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const blocks: { from: number; to: number; bytes: number }[] = [];
  let [at, all] = [0, 0];
  while (at + 8 <= input.length) {
    const block = { from: at + 8, to: at + 8 + sizes.getUint32(at + 4), bytes: sizes.getUint32(at) };
    if (block.to > input.length) break;
    blocks.push(block);
    at = block.to;
    all += block.bytes;
  }
  if (at !== input.length || all !== bytes) return lz4Block(input, bytes);
  const output = new Uint8Array(bytes);
  let to = 0;
  for (const block of blocks) {
    output.set(lz4Block(input.subarray(block.from, block.to), block.bytes), to);
    to += block.bytes;
  }
  return output;
}

function tooLong(): Error {
  return new Error('an LZ4 block is longer than it says');
}
