import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { secondsPerBatch } from './batch-seconds.ts';

/** What is called with, and takes `milliseconds` for each row. */
function teacher(milliseconds: number) {
  const asked: number[] = [];
  const call = (rows: number) => {
    asked.push(rows);
    return setTimeout(rows * milliseconds);
  };
  return { asked, call };
}

test('a whole batch is timed where it is fast', async () => {
  const { asked, call } = teacher(1);
  const { seconds, isWhole } = await secondsPerBatch(call, 32, () => {});
  expect(asked[0]).toBe(2);
  expect(asked.slice(1).every((rows) => rows === 32)).toBe(true);
  expect(seconds).toBeGreaterThan(0.03);
  expect(isWhole).toBe(true);
});

test('of a slow one a few rows are timed, twice, and multiplied', async () => {
  const { asked, call } = teacher(300);
  const { seconds, isWhole } = await secondsPerBatch(call, 32, () => {});
  expect(asked).toEqual([2, 2]);
  expect(seconds).toBeGreaterThan(9.5);
  expect(isWhole).toBe(false);
});

test('what is interrupted is not called again', async () => {
  const { asked, call } = teacher(300);
  let looks = 0;
  const stop = () => {
    if (looks++ === 1) throw new Error('stopped');
  };
  await expect(secondsPerBatch(call, 32, stop)).rejects.toThrow('stopped');
  expect(asked).toEqual([2]);
});
