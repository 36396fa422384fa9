import { describe, expect, it } from 'vitest';
import { crc32, crc32ByTable } from '../crc32.ts';
import { LengthRecordCodec, RecordCodec } from './record.ts';

const key = Uint8Array.from({ length: 16 }, (_, i) => i * 7);
const otherKey = Uint8Array.from({ length: 16 }, (_, i) => i * 7 + 1);

describe('crc32', () => {
  it('has the check value of its standard, with and without Node', () => {
    const check = new TextEncoder().encode('123456789');
    expect(crc32(check)).toBe(0xcbf43926);
    expect(crc32ByTable(check)).toBe(0xcbf43926);
    expect(crc32ByTable(check.subarray(4), crc32ByTable(check.subarray(0, 4)))).toBe(0xcbf43926);
  });
});

describe.each(['float16', 'float32'] as const)('a %s record', (encoding) => {
  const codec = new RecordCodec(5, encoding);
  const values = Float32Array.of(0, -1.5, 3.25, 1000, -0.0078125);
  const record = codec.encode(key, values) as Buffer;

  it('gives the values back, where it is told to', () => {
    const into = new Float32Array(9).fill(9);
    expect(codec.decode(key, record, into, 2)).toBe(true);
    expect([...into]).toEqual([9, 9, ...values, 9, 9]);
  });

  it('notices every single flipped bit, and writes nothing then', () => {
    const into = new Float32Array(5).fill(9);
    for (let bit = 0; bit < record.length * 8; bit++) {
      const broken = Buffer.from(record);
      broken[bit >> 3] = (broken[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(codec.decode(key, broken, into, 0)).toBe(false);
    }
    expect([...into]).toEqual([9, 9, 9, 9, 9]);
  });

  it('does not take another key, or another length', () => {
    expect(codec.isSound(otherKey, record)).toBe(false);
    expect(codec.isSound(key, record.subarray(1))).toBe(false);
    expect(codec.isSound(key, Buffer.alloc(0))).toBe(false);
  });
});

it('names the value that float16 cannot hold', () => {
  expect(new RecordCodec(3, 'float16').encode(key, Float32Array.of(1, 2, 1e6))).toBe(2);
});

describe('a centred record', () => {
  const codec = new RecordCodec(4, 'float16-centred');
  const kept = (values: Float32Array) => {
    const into = new Float32Array(4);
    codec.decode(key, codec.encode(key, values) as Buffer, into, 0);
    return [...into];
  };

  it('keeps what logits differ by, however large the number that is in all of them', () => {
    const differences = [2.5, -1.25, 0.75, -2];
    for (const offset of [0, 30_000, -60_000, 1e6]) {
      kept(Float32Array.from(differences, (value) => value + offset)).forEach((value, i) => {
        expect(value).toBeCloseTo(differences[i]!, offset > 1e5 ? 1 : 2);
      });
    }
    // In float16 alone the steps at 30,000 are 16.
    const plain = new RecordCodec(4, 'float16');
    const into = new Float32Array(4);
    plain.decode(
      key,
      plain.encode(
        key,
        Float32Array.from(differences, (v) => v + 30_000),
      ) as Buffer,
      into,
      0,
    );
    expect(new Set(into).size).toBe(1);
  });

  it('holds values beyond the range of float16 that are near each other, and names one that is far from the others', () => {
    expect(kept(Float32Array.of(1e5, 1e5 + 8, 1e5, 1e5))).toEqual([-2, 6, -2, -2]);
    expect(codec.encode(key, Float32Array.of(0, 0, -3e38, 0))).toBe(2);
  });
});

describe('a record of true length', () => {
  const codec = new LengthRecordCodec((length) => 2 * length, 'float16');
  const values = Float32Array.of(0, -1.5, 3.25, 1000, -0.0078125, 2);
  const record = codec.encode(key, { length: 3, values }) as Buffer;

  it('gives length and values back', () => {
    expect(codec.decode(key, record)).toEqual({ length: 3, values });
    expect(codec.encode(key, { length: 1, values: Float32Array.of(1, 1e6) })).toBe(1);
  });

  it('notices every single flipped bit, of its length too, another key, and an end that is missing', () => {
    for (let bit = 0; bit < record.length * 8; bit++) {
      const broken = Buffer.from(record);
      broken[bit >> 3] = (broken[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(codec.decode(key, broken)).toBeUndefined();
    }
    expect(codec.isSound(otherKey, record)).toBe(false);
    for (const end of [0, 3, 7, record.length - 1])
      expect(codec.isSound(key, record.subarray(0, end))).toBe(false);
  });
});
