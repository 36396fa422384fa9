import { describe, expect, it } from 'vitest';
import { sgd } from './sgd.ts';
import { runOptimizer } from './testing/run-optimizer.ts';

/** A parameter 2 with the gradients 1, -0.5 and 0.25, at the rate 0.1. */
const run = { shape: [1, 1], start: [2], gradients: [[1], [-0.5], [0.25]], rate: 0.1 };

async function path(optimizer: ReturnType<typeof sgd>, given = run): Promise<number[]> {
  return (await runOptimizer(optimizer, given)).map(([value]) => value as number);
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] as number, 6);
  });
}

// The expected numbers are worked out by hand from the formulas; PyTorch 2.13's torch.optim.SGD gives the same.
describe('sgd', () => {
  it('goes against the gradient, and keeps nothing without a momentum', async () => {
    expect(sgd().slots).toEqual([]);
    expectClose(await path(sgd()), [1.9, 1.95, 1.925]);
  });

  it('keeps a velocity', async () => {
    // v: 1; 0.9 - 0.5 = 0.4; 0.36 + 0.25 = 0.61.
    expectClose(await path(sgd({ momentum: 0.9 })), [1.9, 1.86, 1.799]);
  });

  it('looks ahead with nesterov', async () => {
    // d + 0.9 v: 1.9; -0.5 + 0.36 = -0.14; 0.25 + 0.549 = 0.799.
    expectClose(await path(sgd({ momentum: 0.9, nesterov: true })), [1.81, 1.824, 1.7441]);
  });

  it('adds the decay to the gradient of a matrix', async () => {
    // d: 1 + 0.2 = 1.2, to 1.88; v = 1.08 - 0.5 + 0.188 = 0.768, to 1.8032; v = 0.6912 + 0.25 + 0.18032.
    const optimizer = sgd({ momentum: 0.9, weightDecay: 0.1 });
    expectClose(await path(optimizer), [1.88, 1.8032, 1.691048]);
    expectClose(await path(optimizer, { ...run, shape: [1] }), [1.9, 1.86, 1.799]);
  });
});
