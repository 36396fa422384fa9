import { expect, it } from 'vitest';
import { randomStream } from '../random.ts';
import { lion } from './lion.ts';
import { runOptimizer } from './testing/run-optimizer.ts';

it('moves by the rate against the sign of the interpolated average', async () => {
  // c = 0.9 m + 0.1 g, m = 0.99 m + 0.01 g, both from m = 0:
  // g = 1: c > 0, m = 0.01. g = -0.05: c = 0.009 - 0.005 > 0, m = 0.0094. g = -0.1: c = 0.00846 - 0.01 < 0.
  // g = 0 with m = 0 moves nothing, and the sign of 0 is 0.
  const run = {
    shape: [2],
    start: [2, 5],
    gradients: [
      [1, 0],
      [-0.05, 0],
      [-0.1, 0],
    ],
    rate: 0.5,
  };
  expect(await runOptimizer(lion(), run)).toEqual([
    [1.5, 5],
    [1, 5],
    [1.5, 5],
  ]);
});

it('decays matrices by rate * weightDecay, as algorithm 2 of the paper', async () => {
  const random = randomStream(3, 'lion');
  const start = Array.from({ length: 6 }, () => random.normal());
  const gradients = Array.from({ length: 10 }, () => start.map(() => random.normal()));
  const [beta1, beta2, decay, rate] = [0.8, 0.95, 0.3, 0.02];
  const theta = [...start];
  const m = theta.map(() => 0);
  for (const gradient of gradients) {
    theta.forEach((value, k) => {
      const direction = Math.sign(beta1 * m[k] + (1 - beta1) * gradient[k]);
      theta[k] = value - rate * (direction + decay * value);
      m[k] = beta2 * m[k] + (1 - beta2) * gradient[k];
    });
  }
  const optimizer = lion({ beta1, beta2, weightDecay: decay });
  const path = await runOptimizer(optimizer, { shape: [3, 2], start, gradients, rate });
  path.at(-1)?.forEach((value, k) => {
    expect(value).toBeCloseTo(theta[k], 6);
  });
});
