import { expect, it } from 'vitest';
import { RunningMean } from './running-mean.ts';

it('is the value itself at first, then a mean of the last steps', () => {
  const mean = new RunningMean();
  expect(mean.add(4)).toBeCloseTo(4, 12);
  expect(mean.add(0)).toBeCloseTo(2, 1);
  // Every other step measures nothing.
  let last = 0;
  for (let step = 0; step < 400; step++) last = mean.add(step % 2 === 0 ? 3 : 0);
  expect(last).toBeCloseTo(1.5, 1);
  for (let step = 0; step < 400; step++) last = mean.add(7);
  expect(last).toBeCloseTo(7, 2);
});
