import { expect, test } from 'vitest';
import { peerBatch, peerSteps } from './peer-training.ts';

test('peers pass often over few samples, a few times over many, and never take long', () => {
  expect(peerSteps(1)).toBe(40);
  expect(peerSteps(30)).toBe(300);
  expect(peerSteps(145)).toBe(580);
  expect(peerSteps(1_000_000)).toBe(3000);
});

test('batches of few samples are small, so that they are not mostly filled up', () => {
  expect([0, 60, 400, 2482, 71_923].map(peerBatch)).toEqual([32, 32, 64, 512, 512]);
});
