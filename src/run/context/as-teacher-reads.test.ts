import { expect, it } from 'vitest';
import type { Batch } from '../../data/batch.ts';
import type { Split } from '../../data/split.ts';
import { withTaughtTruth } from '../heads/taught-truth.ts';
import { readingBy } from '../teaching/reading-by.ts';
import { asTeacherReads } from './as-teacher-reads.ts';
import type { TaskData } from './task.ts';

const EMPTY = { rows: 1, filled: 1, keys: new Uint8Array(16), ordinals: Uint32Array.of(3) };

/** A split with one sample, whose batches have no columns. */
function split(name: string): Split {
  const readBatch = (): Batch => ({ ...EMPTY, sizes: { batch: 1 }, columns: {} });
  return { name, size: 1, buckets: [{ size: 1 }], readBatch, example: () => ({ text: '' }), close: () => {} };
}

it('keeps what the teacher says is true, and reads batches when they are looked at', () => {
  let read = 0;
  const reads = readingBy({ preprocessing: 'its own' }, ({ ordinals }, { name }) => {
    read++;
    return { sizes: { batch: 1, sequence: 9 }, columns: { [`${name} ${ordinals[0]}`]: {} as never } };
  });
  const [train, labelled, validation, test] = ['train', 'labelled', 'validation', 'test'].map(split);
  const data = withTaughtTruth({
    heads: [{ output: 'embedding', labels: 'knowledge/embedding', target: {} }],
    task: { preprocessing: "the student's" },
    dataset: { splits: { train, labelled, validation, test } },
    asked: train,
    teacherReads: reads,
  } as unknown as TaskData);
  const own = asTeacherReads(data);
  expect(own.taughtTruth).toBe(data.taughtTruth);
  expect(own.task.preprocessing).toBe('its own');
  const batch = own.dataset.splits.validation.readBatch(0, [0], 1);
  expect([...batch.keys]).toHaveLength(16);
  expect(read).toBe(0);
  expect(Object.keys(batch.columns)).toEqual(['validation 3']);
  expect([batch.sizes.sequence, read]).toEqual([9, 1]);
  // What is read so is not read so again.
  expect(reads.split(own.asked)).toBe(own.asked);
});
