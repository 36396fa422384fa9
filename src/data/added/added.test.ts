import { describe, expect, it } from 'vitest';
import { randomStream } from '../../random.ts';
import { labelsOf, SAMPLE_KEY_BYTES } from '../batch.ts';
import type { Split } from '../split.ts';
import { idsOf, imageBatch, lengthOf, maskOf, pixelsOf, tokenBatch } from '../testing/batches.ts';
import { chooseMixtures, symmetricBeta } from './choose-mixtures.ts';
import { DisturbedSplit } from './disturbed-split.ts';
import { JoinedSplit } from './joined-split.ts';
import { MixedSplit } from './mixed-split.ts';

const keysOf = (indices: ArrayLike<number>, mark: number) => {
  const keys = new Uint8Array(indices.length * SAMPLE_KEY_BYTES);
  for (let row = 0; row < indices.length; row++)
    keys.set([mark, indices[row] as number], row * SAMPLE_KEY_BYTES);
  return keys;
};

/** Images of two pixels: sample i is [i, -i], of class i. */
function pictures(size: number, mark = 1): Split {
  return {
    name: `pictures ${mark}`,
    size,
    buckets: [{ size }],
    readBatch(_bucket, indices, rows) {
      const pixels = new Float32Array(2 * rows);
      const labels = new Int32Array(rows).fill(-1);
      Array.from(indices).forEach((index, row) => {
        pixels.set([index, -index], 2 * row);
        labels[row] = index;
      });
      return imageBatch({
        rows,
        filled: indices.length,
        dims: [1, 1, 2],
        pixels,
        labels,
        keys: keysOf(indices, mark),
        ordinals: Uint32Array.from(indices),
      });
    },
    example: (ordinal) => ({ text: `picture ${ordinal}` }),
    close() {},
  };
}

/** Texts in buckets of 4 and 6 tokens: sample i of bucket b has the tokens 10 b + i, three times. */
function texts(): Split {
  const lengths = [4, 6];
  return {
    name: 'texts',
    size: 10,
    buckets: lengths.map((length) => ({ size: 5, length })),
    readBatch(bucket, indices, rows) {
      const length = lengths[bucket] as number;
      const ids = new BigInt64Array(rows * length);
      const mask = new BigInt64Array(rows * length);
      for (let row = 0; row < rows; row++) {
        const index = indices[row];
        mask.fill(1n, row * length, row * length + (index === undefined ? 1 : 3));
        if (index !== undefined) ids.fill(BigInt(10 * bucket + index), row * length, row * length + 3);
      }
      return tokenBatch({
        rows,
        length,
        filled: indices.length,
        ids,
        mask,
        labels: new Int32Array(rows).fill(1),
        keys: keysOf(indices, bucket),
        ordinals: Uint32Array.from(indices, (index) => 5 * bucket + index),
      });
    },
    example: (ordinal) => ({ text: `text ${ordinal}` }),
    close() {},
  };
}

describe('a joined split', () => {
  it('counts through its parts, and keeps rows in the order that is asked for', () => {
    const joined = new JoinedSplit([pictures(3), pictures(2, 2)]);
    expect([joined.size, joined.buckets]).toEqual([5, [{ size: 5 }]]);
    const batch = joined.readBatch(0, [4, 0, 3, 2], 6);
    expect([...pixelsOf(batch)]).toEqual([1, -1, 0, -0, 0, -0, 2, -2, 0, 0, 0, 0]);
    expect([...batch.ordinals]).toEqual([4, 0, 3, 2]);
    expect([...labelsOf(batch)]).toEqual([1, 0, 0, 2, -1, -1]);
    expect([batch.filled, batch.keys[0], batch.keys[SAMPLE_KEY_BYTES]]).toEqual([4, 2, 1]);
    expect(joined.example(4).text).toBe('picture 1');
    expect(() => joined.readBatch(0, [5], 1)).toThrow('sample 5 is not in bucket 0');
  });

  it('joins texts bucket by bucket', () => {
    const joined = new JoinedSplit([texts(), texts()]);
    const batch = joined.readBatch(1, [9, 1], 3);
    expect([...idsOf(batch).subarray(0, 4)]).toEqual([14n, 14n, 14n, 0n]);
    expect([...batch.ordinals]).toEqual([19, 6]);
    // The row that fills has a token, as every text.
    expect([...maskOf(batch).subarray(12)]).toEqual([1n, 0n, 0n, 0n, 0n, 0n]);
  });
});

describe('mixtures', () => {
  it('of images are mixed pixel by pixel, without a label, under keys of their own', () => {
    const mixed = new MixedSplit(pictures(5), [
      { bucket: 0, first: 4, second: 2, part: 0.25 },
      { bucket: 0, first: 4, second: 2, part: 0.5 },
    ]);
    const batch = mixed.readBatch(0, [0, 1], 2);
    expect([...pixelsOf(batch)]).toEqual([2.5, -2.5, 3, -3]);
    expect([...labelsOf(batch)]).toEqual([-1, -1]);
    const [a, b] = [0, 1].map((row) =>
      batch.keys.slice(row * SAMPLE_KEY_BYTES, (row + 1) * SAMPLE_KEY_BYTES),
    );
    expect(a).not.toEqual(b);
    expect(mixed.readBatch(0, [0], 1).keys).toEqual(a);
    expect(mixed.example(0).text).toBe('25 % picture 4 + 75 % picture 2');
  });

  it('of texts are the first part of one and the last of the other, a token of each at least', () => {
    const parts = [0.34, 0.67, 0, 1];
    const mixed = new MixedSplit(
      texts(),
      parts.map((part) => ({ bucket: 0, first: 1, second: 2, part })),
    );
    const batch = mixed.readBatch(0, [0, 1, 2, 3], 4);
    const [ids, mask] = [idsOf(batch), maskOf(batch)];
    const rows = parts.map((_, row) => [...ids.subarray(4 * row, 4 * row + 4)].map(Number));
    expect(rows).toEqual([
      [1, 2, 2, 0],
      [1, 1, 2, 0],
      [1, 2, 2, 2],
      [1, 1, 1, 2],
    ]);
    expect([...mask.subarray(0, 4)]).toEqual([1n, 1n, 1n, 0n]);
  });

  it('of texts that are padded on the left are padded there, too', () => {
    const right = texts();
    const left: Split = {
      ...right,
      readBatch(bucket, indices, rows) {
        const batch = right.readBatch(bucket, indices, rows);
        for (let row = 0; row < rows; row++) {
          for (const values of [idsOf(batch), maskOf(batch)])
            values.subarray(row * lengthOf(batch), (row + 1) * lengthOf(batch)).reverse();
        }
        return batch;
      },
    };
    const mixed = new MixedSplit(left, [{ bucket: 0, first: 1, second: 2, part: 0.34 }]);
    const batch = mixed.readBatch(0, [0], 1);
    const [ids, mask] = [idsOf(batch), maskOf(batch)];
    expect([...ids].map(Number)).toEqual([0, 1, 2, 2]);
    expect([...mask].map(Number)).toEqual([0, 1, 1, 1]);
  });

  it('pair samples of one bucket that the teacher tells apart, by the seed', () => {
    const near = Array.from({ length: 40 }, (_, i) => ({ bucket: i % 2, index: i, answer: i % 3 }));
    const choose = (seed: number) =>
      chooseMixtures({ near, count: 30, alpha: 0.5, random: randomStream(seed, 'mixup') });
    expect(choose(1)).toEqual(choose(1));
    expect(choose(1)).not.toEqual(choose(2));
    expect(choose(1)).toHaveLength(30);
    for (const { bucket, first, second, part } of choose(1)) {
      expect([first % 2, second % 2]).toEqual([bucket, bucket]);
      expect(first % 3).not.toBe(second % 3);
      expect(part).toBeGreaterThanOrEqual(0);
      expect(part).toBeLessThanOrEqual(1);
    }
    const alike = near.map((sample) => ({ ...sample, answer: 0 }));
    expect(chooseMixtures({ near: alike, count: 30, alpha: 1, random: randomStream(1, 'mixup') })).toEqual(
      [],
    );
  });

  it('have parts of the Beta distribution that is asked for', () => {
    const random = randomStream(3, 'beta');
    for (const alpha of [1, 0.4]) {
      const draws = Array.from({ length: 20_000 }, () => symmetricBeta(alpha, random));
      const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
      const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
      expect(mean).toBeCloseTo(0.5, 1);
      // The variance of Beta(a, a) is 1 / (4 (2 a + 1)).
      expect(variance).toBeCloseTo(1 / (4 * (2 * alpha + 1)), 2);
    }
  });
});

describe('disturbed images', () => {
  it('are the chosen ones with something added, unlabelled, under keys that tell the method', () => {
    const read = (keys: Uint8Array, to: Float32Array) => {
      for (let row = 0; row < keys.length / SAMPLE_KEY_BYTES; row++)
        to.set([100 * (keys[row * SAMPLE_KEY_BYTES + 1] as number), 1], 2 * row);
    };
    const split = new DisturbedSplit(pictures(5), [1, 3], read, 'fgsm-0.1');
    const batch = split.readBatch(0, [1], 2);
    expect([...pixelsOf(batch)]).toEqual([303, -2, 0, 0]);
    expect([...labelsOf(batch)]).toEqual([-1, -1]);
    expect([...batch.ordinals]).toEqual([1]);
    const other = new DisturbedSplit(pictures(5), [1, 3], read, 'fgsm-0.2');
    expect(other.readBatch(0, [1], 1).keys).not.toEqual(batch.keys);
    expect(split.example(1).text).toBe('picture 3, disturbed');
  });
});
