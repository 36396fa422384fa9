import { nodeModule } from './platform/node-modules.ts';

/** CRC-32 (ISO 3309, as in gzip) of some bytes, continuing from the CRC of what came before them. */
export const crc32: (bytes: Uint8Array, before?: number) => number =
  // Node has its own, which is faster, since 20.15.
  (nodeModule('node:zlib') as Partial<Pick<typeof import('node:zlib'), 'crc32'>> | undefined)?.crc32 ??
  crc32ByTable;

let table: Uint32Array | undefined;

export function crc32ByTable(bytes: Uint8Array, before = 0): number {
  table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
  let crc = ~before;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}
