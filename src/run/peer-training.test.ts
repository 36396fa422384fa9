import { expect, test } from 'vitest';
import { peerSteps } from './peer-training.ts';

test('peers pass often over few samples, a few times over many, and never take long', () => {
  expect(peerSteps(1)).toBe(40);
  expect(peerSteps(30)).toBe(300);
  expect(peerSteps(145)).toBe(580);
  expect(peerSteps(1_000_000)).toBe(3000);
});
