import { expect, it } from 'vitest';
import { int64 } from '../../onnx/tensor.ts';
import { spread, TimedCalls, TURNS } from './measure-speed.ts';

it('spreads any first calls over all lengths, and comes to each before it comes to one again', () => {
  for (const count of [1, 2, 7, 50]) {
    const places = Array.from({ length: count }, (_, i) => spread(i, count));
    expect([...places].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  }
  const five = Array.from({ length: 5 }, (_, i) => spread(i, 50));
  expect(Math.min(...five)).toBeLessThan(10);
  expect(Math.max(...five)).toBeGreaterThan(35);
});

it('calls a slow model once a turn, and a fast one for no longer than that says something', async () => {
  const counts: number[] = [];
  for (const milliseconds of [20, 0]) {
    let calls = 0;
    const session = {
      run: async () => {
        calls++;
        if (milliseconds > 0) await new Promise((done) => setTimeout(done, milliseconds));
        return {};
      },
    };
    const timed = new TimedCalls(session, [{ x: int64([1], [1]) }], milliseconds > 0 ? 0.001 : 10);
    await timed.warm();
    for (let turn = 1; turn <= TURNS; turn++) await timed.turn(turn);
    counts.push(calls);
    expect(timed.medianMs).toBeGreaterThanOrEqual(milliseconds > 0 ? 15 : 0);
  }
  expect(counts).toEqual([1 + TURNS, 5 + 60 * TURNS]);
});

it.each([
  ['of a model that each call loads', { loadsEachRun: true }, 10],
  ['where no time is given', {}, 0],
])('makes a single call %s', async (_, how, seconds) => {
  let calls = 0;
  const session = {
    ...how,
    run: async () => {
      calls++;
      return {};
    },
  };
  const timed = new TimedCalls(session, [{ x: int64([1], [1]) }], seconds);
  await timed.warm();
  for (let turn = 1; turn <= TURNS; turn++) await timed.turn(turn);
  expect(calls).toBe(1);
  expect(timed.medianMs).toBeGreaterThanOrEqual(0);
});
