import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { PARQUET_CODECS, zstdInJavaScript } from './node-parquet-codecs.ts';

/** 1,000 zeros, as `zstd` writes them. */
const ZEROS = Buffer.from('28b52ffd04584d00001000000100e32b80055a074479', 'hex');

test('zstd in JavaScript gives what a page says, and not more', () => {
  expect(zstdInJavaScript(ZEROS, 1000)).toEqual(new Uint8Array(1000));
  expect(() => zstdInJavaScript(ZEROS, 999)).toThrow(/longer than it says/);
  // Pages of another length are told by the reader.
  expect(zstdInJavaScript(ZEROS, 1001)).toHaveLength(1000);
  expect(() => zstdInJavaScript(ZEROS.subarray(0, 9), 1000)).toThrow();
});

test('frames one after another are a page', () => {
  expect(zstdInJavaScript(Buffer.concat([ZEROS, ZEROS]), 2000)).toEqual(new Uint8Array(2000));
});

test.each([
  ['GZIP', zlib.gzipSync],
  ['BROTLI', zlib.brotliCompressSync],
] as const)('%s too', (name, compressed) => {
  const page = compressed(Buffer.alloc(1000));
  expect(PARQUET_CODECS[name]?.(page, 1000)).toHaveLength(1000);
  expect(() => PARQUET_CODECS[name]?.(page, 999)).toThrow();
});
