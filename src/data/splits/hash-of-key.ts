/** 53 bits of the sample key (16 bytes) at a place, as a number. */
export function hashOfKey(keys: Uint8Array, at: number): number {
  return (littleEndian(keys, at + 4) >>> 11) * 2 ** 32 + littleEndian(keys, at);
}

/** A uint32; a view for each of some millions of keys would take longer than they do. */
export function littleEndian(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}
