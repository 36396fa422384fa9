import { expect, it } from 'vitest';
import { MeanCosine } from './mean-cosine.ts';

const of = (...values: number[]) => Float32Array.from(values);

it('is 1 for vectors of one direction, 0 for right angles, and the mean over samples', () => {
  const mean = new MeanCosine();
  mean.add(of(1, 2), of(2, 4));
  expect(mean.value()).toBeCloseTo(1, 12);
  mean.add(of(1, 0), of(0, 3));
  expect(mean.value()).toBeCloseTo(0.5, 12);
});

it('takes off what the rows of the first set have in common', () => {
  const plain = new MeanCosine();
  const centred = new MeanCosine(2);
  for (const [a, b] of [
    [of(101, 100), of(99, 100)],
    [of(99, 100), of(101, 100)],
  ] as const) {
    plain.add(a, b);
    centred.add(a, b);
  }
  expect(plain.value()).toBeGreaterThan(0.999);
  expect(centred.value()).toBeCloseTo(-1, 6);
});

it('calls zeros equal to zeros alone', () => {
  const mean = new MeanCosine();
  mean.add(of(0, 0), of(0, 0));
  expect(mean.value()).toBe(1);
  mean.add(of(0, 0), of(1, 0));
  expect(mean.value()).toBe(0.5);
});
