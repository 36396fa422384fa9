import { expect, it } from 'vitest';
import type { Split } from '../../data/split.ts';
import { tokenBatch } from '../../data/testing/batches.ts';
import type { TextSplit } from '../../data/text-split.ts';
import type { Session } from '../../engine/engine.ts';
import { speedCalls } from '../batches/speed-calls.ts';
import { timeModels } from './time-models.ts';

const CALLS = {
  speedCalls: (split: Split, rows: number) => speedCalls(split, rows, ['input_ids', 'attention_mask']),
};

/** A split of texts that are all three tokens long, in buckets of 16 tokens. */
function splitOf(sizes: readonly number[]): TextSplit {
  return {
    name: 'test',
    size: sizes.reduce((sum, size) => sum + size, 0),
    buckets: sizes.map((size) => ({ length: 16, size })),
    readBatch(bucket, indices, rows) {
      for (const index of Array.from(indices)) expect(index).toBeLessThan(sizes[bucket] as number);
      const mask = new BigInt64Array(rows * 16);
      for (let row = 0; row < rows; row++) mask.fill(1n, row * 16, row * 16 + 3);
      return tokenBatch({
        ids: new BigInt64Array(rows * 16),
        mask,
        labels: new Int32Array(rows),
        keys: new Uint8Array(),
        ordinals: new Uint32Array(rows),
        rows,
        length: 16,
        filled: indices.length,
      });
    },
    text: () => '',
    example: () => ({ text: '' }),
    id: () => '',
    close: () => {},
  };
}

it.each([
  ['large', [100, 40]],
  ['smaller than a call of 32 texts', [5, 0, 9]],
])('times a model on a split that is %s', async (_, sizes) => {
  const shapes = new Set<string>();
  const session = {
    run: (feeds) => {
      shapes.add(`${feeds.input_ids?.dims}`);
      return Promise.resolve({});
    },
    release: () => Promise.resolve(),
  } as Session;
  const run = { emit: () => {}, options: { out: '', timingSeconds: 0.001 }, checkInterrupted: () => {} };
  const speeds = await timeModels(run, new Map([['student', session]]), CALLS, splitOf(sizes));
  expect(speeds.get('student')?.throughput).toBeGreaterThan(0);
  expect([...shapes]).toEqual(['1,3', '32,3']);
});

it('stops between two models when it is asked to', async () => {
  let runs = 0;
  const session = {
    run: (_feeds) => {
      runs++;
      return Promise.resolve({});
    },
    release: () => Promise.resolve(),
  } as Session;
  const run = {
    emit: () => {},
    options: { out: '', timingSeconds: 0.001 },
    checkInterrupted: () => {
      if (runs > 0) throw new Error('stopped');
    },
  };
  let models = 0;
  const sessions = new Map(['student', 'teacher'].map((name) => [name, session]));
  const counted = { ...run, emit: () => models++ };
  await expect(timeModels(counted, sessions, CALLS, splitOf([40]))).rejects.toThrow('stopped');
  expect(models).toBe(1);
});
