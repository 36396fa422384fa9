import { expect, it } from 'vitest';
import { tensor } from '../onnx/tensor.ts';
import { randomStream } from '../random.ts';
import { JackknifedMetric } from './jackknife.ts';
import type { MeasuredBatch } from './metric.ts';
import { mae, rmse } from './regression-error.ts';

/** Batches of 16 rows with the given truths. */
function batchesOf(truth: Float32Array): MeasuredBatch[] {
  const batches: MeasuredBatch[] = [];
  for (let from = 0; from < truth.length; from += 16) {
    const labels = new Float32Array(16).fill(Number.NaN);
    labels.set(truth.subarray(from, from + 16));
    const filled = Math.min(16, truth.length - from);
    const ordinals = Uint32Array.from({ length: 16 }, (_, row) => from + row);
    batches.push({ filled, ordinals, columns: { labels: tensor('float32', [16, 1], labels) } });
  }
  return batches;
}

function measured(
  metric: JackknifedMetric,
  batches: MeasuredBatch[],
  answers: Float32Array,
): JackknifedMetric {
  batches.forEach((batch, i) => {
    const data = new Float32Array(16);
    data.set(answers.subarray(16 * i, 16 * (i + 1)));
    metric.add(tensor('float32', [16, 1], data), batch);
  });
  return metric;
}

const random = randomStream(1, 'jackknife');
const noise = (count: number, size: number) =>
  Float32Array.from({ length: count }, () => size * random.normal());

it('gives the metric itself, and intervals of it and of its difference that hold the true one about 95 times in 100', () => {
  let [held, heldAlone] = [0, 0];
  const repeats = 200;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const truth = noise(100, 1);
    const batches = batchesOf(truth);
    // Errors of deviation 1 and 1.2: the true difference of the RMSE is -0.2, whatever both have in common.
    const shared = noise(100, 1);
    const first = measured(
      new JackknifedMetric(rmse()),
      batches,
      truth.map((t, i) => t + shared[i]!),
    );
    const second = measured(
      new JackknifedMetric(rmse()),
      batches,
      truth.map((t, i) => t + 1.2 * shared[i]!),
    );
    const { low, high } = first.minus(second);
    if (low <= -0.2 && -0.2 <= high) held++;
    const alone = second.interval;
    if (alone.low <= 1.2 && 1.2 <= alone.high) heldAlone++;
  }
  expect(heldAlone / repeats).toBeGreaterThan(0.85);
  expect(heldAlone / repeats).toBeLessThan(0.99);
  expect(held / repeats).toBeGreaterThan(0.88);
  expect(held / repeats).toBeLessThan(0.99);
});

it('equals the standard error of a mean', () => {
  const truth = new Float32Array(200);
  const errors = noise(200, 1);
  const batches = batchesOf(truth);
  const first = measured(new JackknifedMetric(mae()), batches, errors);
  const second = measured(new JackknifedMetric(mae()), batches, truth);
  const absolute = Array.from(errors, Math.abs);
  const mean = absolute.reduce((sum, value) => sum + value, 0) / 200;
  const { difference, low, high } = first.minus(second);
  expect(first.value).toBeCloseTo(mean, 6);
  expect(difference).toBeCloseTo(mean, 6);
  // Half-normal errors have a deviation of 0.603: 200 of them make a mean known to 0.043.
  expect((high - low) / 2 / 2.262).toBeGreaterThan(0.02);
  expect((high - low) / 2 / 2.262).toBeLessThan(0.08);
});

it('says that nothing is known of a few samples', () => {
  const batches = batchesOf(new Float32Array(1));
  const one = measured(new JackknifedMetric(rmse()), batches, new Float32Array([1]));
  expect(one.minus(one).high).toBe(Number.POSITIVE_INFINITY);
});
