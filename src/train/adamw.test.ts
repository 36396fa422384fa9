import { expect, it } from 'vitest';
import { randomStream } from '../random.ts';
import { adamw } from './adamw.ts';
import { runOptimizer } from './testing/run-optimizer.ts';

/** AdamW as the paper writes it (algorithm 2), in double precision: an independent program to compare with. */
function reference(start: number[], gradients: number[][], rate: number, decay: number): number[] {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  const theta = [...start];
  const m = theta.map(() => 0);
  const v = theta.map(() => 0);
  gradients.forEach((gradient, i) => {
    theta.forEach((_, k) => {
      m[k] = beta1 * m[k] + (1 - beta1) * gradient[k];
      v[k] = beta2 * v[k] + (1 - beta2) * gradient[k] ** 2;
      const mHat = m[k] / (1 - beta1 ** (i + 1));
      const vHat = v[k] / (1 - beta2 ** (i + 1));
      theta[k] -= rate * (mHat / (Math.sqrt(vHat) + epsilon) + decay * theta[k]);
    });
  });
  return theta;
}

it('updates as the paper says', async () => {
  const random = randomStream(5, 'adamw');
  const start = Array.from({ length: 6 }, () => random.normal());
  const gradients = Array.from({ length: 12 }, () => start.map(() => random.normal()));
  const expected = reference(start, gradients, 0.01, 0.1);
  const path = await runOptimizer(adamw({ weightDecay: 0.1 }), {
    shape: [2, 3],
    start,
    gradients,
    rate: 0.01,
  });
  path.at(-1)?.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 5);
  });
});

it('does not decay vectors: biases and scales', async () => {
  const start = [1, -2];
  const gradients = [[0.5, -0.5]];
  const expected = reference(start, gradients, 0.01, 0);
  const [found] = await runOptimizer(adamw({ weightDecay: 0.1 }), {
    shape: [2],
    start,
    gradients,
    rate: 0.01,
  });
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 6);
  });
});
