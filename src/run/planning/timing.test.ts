import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { median, secondsPerCall, timed } from './timing.ts';

test('the median of odd and even counts, in any order', () => {
  expect(median([3])).toBe(3);
  expect(median([9, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test('what is timed gives its value and its seconds', async () => {
  const { value, seconds } = await timed(() => setTimeout(30, 'done'));
  expect(value).toBe('done');
  expect(seconds).toBeGreaterThan(0.025);
});

describe('seconds of a call', () => {
  test('leave out the first, which is slower', async () => {
    let calls = 0;
    const seconds = await secondsPerCall(
      () => setTimeout(calls++ === 0 ? 200 : 20),
      () => {},
    );
    expect(calls).toBeGreaterThan(1);
    expect(seconds).toBeGreaterThan(0.015);
    expect(seconds).toBeLessThan(0.19);
  });

  test('are those of the first where one call takes long', async () => {
    let calls = 0;
    const slow = () => {
      calls++;
      return setTimeout(450);
    };
    expect(await secondsPerCall(slow, () => {})).toBeGreaterThan(0.44);
    expect(calls).toBe(1);
  });

  test('are not measured on once somebody asks to stop', async () => {
    let calls = 0;
    const stop = () => {
      if (calls === 2) throw new Error('stopped');
    };
    await expect(secondsPerCall(async () => void calls++, stop)).rejects.toThrow('stopped');
    expect(calls).toBe(2);
  });
});
