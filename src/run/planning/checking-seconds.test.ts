import { expect, test } from 'vitest';
import { checkingSeconds, measuringSeconds } from './checking-seconds.ts';

const cost = { batch: new Map([[1, 32]]), openSeconds: 1 };
const images = (size: number) => ({ buckets: [{ size }] });

test('a classifier is asked about all of a small validation split, and twice about each sample of it', () => {
  // A batch of 64 takes 32 s: half a second for each sample.
  expect(checkingSeconds(images(12), cost, false)).toBeCloseTo(1 + 6 + 1 + 12, 9);
});

test('of a large split 64 samples are asked about twice, and 4096 once', () => {
  expect(checkingSeconds(images(10_000), cost, false)).toBeCloseTo(1 + 64 * 32 + 1 + 64, 9);
});

test('our own encoder is not examined', () => {
  expect(checkingSeconds(images(12), cost, true)).toBeCloseTo(1 + 6, 9);
});

test('a teacher of other answers is measured on the validation split', () => {
  expect(measuringSeconds(images(12), cost)).toBeCloseTo(1 + 6, 9);
  expect(measuringSeconds(images(640), cost)).toBeCloseTo(1 + 320, 9);
});
