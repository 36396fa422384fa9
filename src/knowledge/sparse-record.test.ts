import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SparseRecordCodec, sparseRecordBytes } from './sparse-record.ts';

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i);

/** Tokens of three entries each, those without a weight last. */
const tokens = (ids: fc.Arbitrary<number>) =>
  fc.array(
    fc.array(fc.tuple(ids, fc.integer({ min: 1, max: 2048 })), { maxLength: 3 }).map((entries) => {
      const values = new Float32Array(6);
      entries.forEach(([id, weight], i) => {
        values[i] = id;
        values[3 + i] = weight / 2048;
      });
      return values;
    }),
    { maxLength: 9 },
  );

test.each([
  ['two bytes', 0xffff, 2],
  ['four bytes', 200_000, 4],
])('what was kept of a sample is read again, with ids of %s', (_, most, idBytes) => {
  const codec = new SparseRecordCodec(6);
  fc.assert(
    fc.property(tokens(fc.integer({ min: 0, max: most })), (rows) => {
      const values = Float32Array.from(rows.flatMap((row) => [...row]));
      const record = codec.encode(KEY, { length: rows.length, values }) as Uint8Array;
      // As a store gives it: a part of a larger buffer that may not begin at a multiple of anything.
      const stored = Buffer.concat([Buffer.from([1]), record]).subarray(1);
      expect(codec.decode(KEY, stored)).toEqual({ length: rows.length, values });
      expect(record.length).toBeLessThanOrEqual(sparseRecordBytes(values.length, rows.length, idBytes));
    }),
  );
});

test('a changed bit, another key and a record that is cut off are found', () => {
  const codec = new SparseRecordCodec(4);
  const record = codec.encode(KEY, {
    length: 2,
    values: Float32Array.of(7, 9, 0.75, 0.25, 3, 0, 1, 0),
  }) as Uint8Array;
  expect(codec.isSound(KEY, record)).toBe(true);
  expect(
    codec.isSound(
      Uint8Array.from(KEY, (byte) => byte ^ 1),
      record,
    ),
  ).toBe(false);
  for (let bit = 0; bit < 8 * record.length; bit++) {
    const changed = record.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(codec.isSound(KEY, changed)).toBe(false);
  }
  for (let length = 0; length < record.length; length++)
    expect(codec.isSound(KEY, record.subarray(0, length))).toBe(false);
});

test('the place of a weight that float16 does not hold is told, and of an id that is none', () => {
  const codec = new SparseRecordCodec(4);
  expect(codec.encode(KEY, { length: 2, values: Float32Array.of(7, 0, 1, 0, 3, 4, 1, 1e6) })).toBe(7);
  expect(codec.encode(KEY, { length: 1, values: Float32Array.of(7, 0.5, 1, 1) })).toBe(1);
});
