import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TrimmedRecordCodec, trimmedRecordBytes } from './trimmed-record.ts';

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i);
const WIDTH = 3;
const codec = new TrimmedRecordCodec(WIDTH);

test('what was kept of a sample is read again, zeros at the end of tokens take nothing', () => {
  const token = fc.array(fc.integer({ min: -2048, max: 2048 }), { minLength: WIDTH, maxLength: WIDTH });
  fc.assert(
    fc.property(fc.array(token, { maxLength: 9 }), (rows) => {
      const values = Float32Array.from(rows.flat(), (value) => value / 1024);
      const record = codec.encode(KEY, { length: rows.length, values }) as Uint8Array;
      const stored = Buffer.concat([Buffer.from([1]), record]).subarray(1);
      expect(codec.decode(KEY, stored)).toEqual({ length: rows.length, values });
      expect(record.length).toBeLessThanOrEqual(trimmedRecordBytes(values.length, rows.length));
    }),
  );
  const empty = codec.encode(KEY, { length: 5, values: new Float32Array(5 * WIDTH) }) as Uint8Array;
  expect(empty.length).toBe(trimmedRecordBytes(0, 5));
});

test('a changed bit, another key and a record that is cut off are found; a value that is too large is named', () => {
  const values = Float32Array.of(0.5, 0.25, 0, 0, 0, 0, 0, 0, -3);
  const record = codec.encode(KEY, { length: 3, values }) as Uint8Array;
  expect(codec.isSound(KEY, record)).toBe(true);
  expect(codec.isSound(new Uint8Array(16), record)).toBe(false);
  for (let bit = 0; bit < 8 * record.length; bit++) {
    const changed = record.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(codec.isSound(KEY, changed)).toBe(false);
  }
  for (let length = 0; length < record.length; length++)
    expect(codec.isSound(KEY, record.subarray(0, length))).toBe(false);
  expect(codec.encode(KEY, { length: 3, values: values.with(8, 1e6) })).toBe(8);
});
