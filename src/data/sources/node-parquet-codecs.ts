import zlib from 'node:zlib';
import { nodePackage } from '../../platform/node-modules.ts';
import { hadoopLz4, lz4Block } from './lz4-block.ts';

/** Gives the bytes of a page, of which there have to be so many. */
type Codec = (input: Uint8Array, bytes: number) => Uint8Array;

/** In Node from 22.15 on, and not in the types of Node 20. */
const { zstdDecompressSync } = zlib as {
  zstdDecompressSync?: (input: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;
};

/** What is used of the package fzstd, which is loaded for a file that needs it. */
interface Fzstd {
  readonly Decompress: new (
    ondata: (chunk: Uint8Array) => void,
  ) => { push(input: Uint8Array, final: boolean): void };
}

/** Zstandard in JavaScript, piece by piece: no page becomes longer than it says, whatever its frames say. */
export const zstdInJavaScript: Codec = (input, bytes) => {
  const { Decompress } = nodePackage<Fzstd>('fzstd', import.meta.url);
  const output = new Uint8Array(bytes);
  let at = 0;
  const stream = new Decompress((chunk) => {
    if (at + chunk.length > bytes) throw new Error('a page is longer than it says');
    output.set(chunk, at);
    at += chunk.length;
  });
  stream.push(input, true);
  return output.subarray(0, at);
};

/** The codecs of Parquet that are read, but for snappy, which hyparquet has itself; pages of another length are its own to refuse. */
export const PARQUET_CODECS: Readonly<Record<string, Codec>> = {
  GZIP: (input, bytes) => zlib.gunzipSync(input, { maxOutputLength: most(bytes) }),
  BROTLI: (input, bytes) => zlib.brotliDecompressSync(input, { maxOutputLength: most(bytes) }),
  ZSTD: zstdDecompressSync
    ? (input, bytes) => zstdDecompressSync(input, { maxOutputLength: most(bytes) })
    : zstdInJavaScript,
  LZ4: hadoopLz4,
  LZ4_RAW: lz4Block,
};

/** Node wants a bound of one byte at least. */
function most(bytes: number): number {
  return Math.max(1, bytes);
}
