import { describe, expect, test } from 'vitest';
import { EMPTY_METER, observe, type RateMeter, rateOf, secondsLeft } from './rate.ts';

/** Observes `[time, done]` one after another. */
function meterOf(...points: [number, number][]): RateMeter {
  return points.reduce((meter, [time, done]) => observe(meter, done, time), EMPTY_METER);
}

function steady(perSecond: number, from: number, to: number, start = 0): [number, number][] {
  const count = Math.round((to - from) * 10);
  return Array.from({ length: count + 1 }, (_, i) => [from + i / 10, start + (i / 10) * perSecond]);
}

describe('the rate', () => {
  test('is not known before something was measured', () => {
    expect(rateOf(EMPTY_METER, 0)).toBeUndefined();
    expect(rateOf(meterOf([0, 5]), 0)).toBeUndefined();
    expect(rateOf(meterOf([0, 5], [1, 5]), 1)).toBeUndefined();
    expect(secondsLeft(meterOf([0, 5]), 10, 0)).toBeUndefined();
  });

  test('counts only what was done while watching: a resumed task starts where it is', () => {
    expect(rateOf(meterOf([100, 50_000], [102, 50_200]), 102)).toBeCloseTo(100);
  });

  test('follows a machine that slows down', () => {
    const meter = meterOf(...steady(100, 0, 60), ...steady(10, 60.1, 90, 6001));
    expect(rateOf(meter, 90)).toBeCloseTo(10, 0);
  });

  test('falls while nothing comes', () => {
    const meter = meterOf(...steady(100, 0, 10));
    expect(rateOf(meter, 10.5)).toBeCloseTo(100);
    expect(rateOf(meter, 30)).toBeLessThan(40);
  });

  test('of steps that take longer than the window is still known', () => {
    expect(rateOf(meterOf([0, 0], [40, 1], [80, 2]), 80)).toBeCloseTo(1 / 40);
  });

  test('starts anew when the task does', () => {
    expect(meterOf([0, 0], [1, 100], [2, 3]).points).toEqual([{ time: 2, done: 3 }]);
  });
});

test('time left follows the rate and runs down between events', () => {
  const meter = meterOf(...steady(100, 0, 10));
  expect(secondsLeft(meter, 2000, 10)).toBeCloseTo(10);
  expect(secondsLeft(meter, 2000, 11)).toBeCloseTo(9);
  expect(secondsLeft(meter, 1000, 12)).toBe(0);
});

test('a meter stays small, however often it is told', () => {
  let meter = EMPTY_METER;
  for (let i = 0; i < 100_000; i++) meter = observe(meter, i, i / 1000);
  expect(meter.points.length).toBeLessThan(250);
  expect(rateOf(meter, 100)).toBeCloseTo(1000, -1);
});
