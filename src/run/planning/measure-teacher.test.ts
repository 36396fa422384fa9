import { expect, test } from 'vitest';
import { samplesToCalibrate } from './measure-teacher.ts';

test('ranges of a slow teacher are found on as many samples as take two seconds, one at least', () => {
  expect(samplesToCalibrate(512, 0.001)).toBe(512);
  expect(samplesToCalibrate(512, 0.25)).toBe(8);
  expect(samplesToCalibrate(512, 30)).toBe(1);
  expect(samplesToCalibrate(40, 0)).toBe(40);
});
