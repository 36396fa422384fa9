import { expect, it } from 'vitest';
import type { BatchPlace, BatchSource, LearningStudent, TrainingBatch } from './batch-source.ts';
import { NextBatches } from './next-batches.ts';

function batches(options: { ahead?: true; fails?: number } = {}) {
  const asked: string[] = [];
  const source: BatchSource = {
    batchesPerEpoch: 3,
    ...(options.ahead && { ahead: true }),
    batch({ epoch, index }: BatchPlace) {
      asked.push(`${epoch}:${index}`);
      if (3 * epoch + index === options.fails) throw new Error('no such batch');
      return { variant: `${epoch}:${index}`, feeds: {}, rows: 1 } as TrainingBatch;
    },
  };
  return { next: new NextBatches(source, {} as LearningStudent, 5), asked };
}

const turn = () => new Promise(setImmediate);

it('prepares the next batch in between, once, and none beyond the last', async () => {
  const { next, asked } = batches({ ahead: true });
  for (let step = 0; step < 5; step++) {
    expect((await next.get(step)).variant).toBe(`${Math.floor(step / 3)}:${step % 3}`);
    next.prepare(step + 1);
    await turn();
    expect(asked).toHaveLength(Math.min(step + 2, 5));
  }
  expect(asked).toEqual(['0:0', '0:1', '0:2', '1:0', '1:1']);
});

it('waits for the step where a batch depends on what the student has learnt', async () => {
  const { next, asked } = batches();
  await next.get(0);
  next.prepare(1);
  await turn();
  expect(asked).toEqual(['0:0']);
  expect((await next.get(1)).variant).toBe('0:1');
});

it('tells what fails at the step that the batch is for', async () => {
  const { next } = batches({ ahead: true, fails: 1 });
  await next.get(0);
  next.prepare(1);
  await turn();
  await expect(next.get(1)).rejects.toThrow('no such batch');
});
