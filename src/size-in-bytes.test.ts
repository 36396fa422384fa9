import { expect, it } from 'vitest';
import { sizeInBytes, sizeInWords, WRITTEN_SIZE } from './size-in-bytes.ts';

it.each([
  [4_000_000_000, 4e9],
  ['4GB', 4e9],
  ['1.5 GiB', 1.5 * 2 ** 30],
  ['300 MB', 3e8],
  ['64kB', 64_000],
])('reads %s', (written, bytes) => {
  expect(sizeInBytes(written)).toBe(bytes);
});

it.each(['4', '4 gb', 'GB', '-1GB', '1e3MB', '4GB or so'])('does not take %s for a size', (written) => {
  expect(WRITTEN_SIZE.test(written)).toBe(false);
});

it('is told with one digit', () => {
  expect([400, 12_345, 4_050_000, 17_179_869_184].map(sizeInWords)).toEqual([
    '0.4 kB',
    '12.3 kB',
    '4.0 MB',
    '17.2 GB',
  ]);
});
