import { expect, test } from 'vitest';
import { randomStream } from '../../random.ts';
import { estimatedShares, shareShift } from './class-shares.ts';

/** Answers of a calibrated classifier that learnt from as many samples of each of two classes: [samples, 2]. */
function answers(shareOfFirst: number, samples: number): Float32Array {
  const random = randomStream(1, 'answers');
  const logits = new Float32Array(2 * samples);
  for (let i = 0; i < samples; i++) {
    const first = random.uniform() < shareOfFirst;
    // Two normal distributions at +1 and -1 with deviation 1: log p(x | first) - log p(x | second) = 2 x.
    const x = (first ? 1 : -1) + random.normal();
    logits[2 * i] = 2 * x;
  }
  return logits;
}

test('the shares of classes are found again from answers about samples without labels', () => {
  for (const share of [0.5, 0.8, 0.95]) {
    const [first, second] = estimatedShares(answers(share, 4000), [0.5, 0.5]);
    expect(first).toBeCloseTo(share, 1);
    expect(Math.abs((first as number) - share)).toBeLessThan(0.02);
    expect((first as number) + (second as number)).toBeCloseTo(1, 6);
  }
});

test('large logits do not overflow, and a class that is never answered keeps a finite logit', () => {
  const shares = estimatedShares(Float32Array.of(900, -900, 0, 950, -900, 0), [1 / 3, 1 / 3, 1 / 3]);
  expect(shares[0]).toBeCloseTo(1);
  const shift = shareShift(shares, [1 / 3, 1 / 3, 1 / 3], 1);
  expect(shift[0]).toBeCloseTo(Math.log(3));
  expect(shift[1]).toBeCloseTo(Math.log(0.01));
});

test('a strength of 0 moves nothing, a half goes half of the way', () => {
  expect(shareShift([0.8, 0.2], [0.5, 0.5], 0).map(Math.abs)).toEqual([0, 0]);
  expect(shareShift([0.8, 0.2], [0.5, 0.5], 0.5)[0]).toBeCloseTo(Math.log(1.6) / 2);
});
