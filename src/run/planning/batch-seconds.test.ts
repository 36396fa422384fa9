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
  expect(asked[0]).toBe(1);
  expect(asked.slice(1).every((rows) => rows === 32)).toBe(true);
  expect(seconds).toBeGreaterThan(0.03);
  expect(isWhole).toBe(true);
});

test('of a slow one a single row is timed, twice, and multiplied', async () => {
  const { asked, call } = teacher(300);
  const { seconds, isWhole } = await secondsPerBatch(call, 32, () => {});
  expect(asked).toEqual([1, 1]);
  expect(seconds).toBeGreaterThan(9.5);
  expect(isWhole).toBe(false);
});

test('as many rows are timed as take half a second', async () => {
  const { asked, call } = teacher(50);
  const { seconds, isWhole } = await secondsPerBatch(call, 32, () => {});
  expect(asked[1]).toBeGreaterThan(4);
  expect(asked[1]).toBeLessThanOrEqual(10);
  expect(seconds).toBeGreaterThan(1.55);
  expect(isWhole).toBe(false);
});

test('a slow first call does not decide: weights may have been read from the disk', async () => {
  const asked: number[] = [];
  const call = (rows: number) => setTimeout(asked.push(rows) === 1 ? 600 : rows * 2);
  const { seconds, isWhole } = await secondsPerBatch(call, 32, () => {});
  expect(asked.slice(0, 2)).toEqual([1, 1]);
  expect(isWhole).toBe(true);
  expect(seconds).toBeLessThan(0.3);
});

test('what is interrupted is not called again', async () => {
  const { asked, call } = teacher(300);
  let looks = 0;
  const stop = () => {
    if (looks++ === 1) throw new Error('stopped');
  };
  await expect(secondsPerBatch(call, 32, stop)).rejects.toThrow('stopped');
  expect(asked).toEqual([1]);
});
