/** 53 bits of the sample key (16 bytes) at a place, as a number. */
export function hashOfKey(keys: Uint8Array, at: number): number {
  const view = new DataView(keys.buffer, keys.byteOffset + at, 8);
  return (view.getUint32(4, true) >>> 11) * 2 ** 32 + view.getUint32(0, true);
}
