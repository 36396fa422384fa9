import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DATASET_SPLITS } from '../dataset.ts';
import { chooseHeldBuckets } from './held-buckets.ts';

it('holds what is read most, the largest first, as far as it goes', () => {
  const bytes = { train: [10, 70, 40], labelled: [5], validation: [20, 1], test: [1] };
  expect(chooseHeldBuckets(bytes, 76)).toEqual({
    train: [false, true, false],
    validation: [false, true],
    labelled: [true],
    test: [false],
  });
  // What does not fit leaves its room to the next.
  expect(chooseHeldBuckets(bytes, 60)).toEqual({
    train: [true, false, true],
    validation: [false, true],
    labelled: [true],
    test: [true],
  });
});

it('never holds more than the budget, whatever there is', () => {
  const sizes = fc.array(fc.nat(100), { maxLength: 6 });
  fc.assert(
    fc.property(
      fc.record({ train: sizes, labelled: sizes, validation: sizes, test: sizes }),
      fc.nat(400),
      (bytes, budget) => {
        const held = chooseHeldBuckets(bytes, budget);
        const all = DATASET_SPLITS.flatMap((split) => bytes[split].filter((_, i) => held[split][i]));
        expect(all.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(budget);
        const total = DATASET_SPLITS.flatMap((split) => bytes[split]).reduce((sum, size) => sum + size, 0);
        if (total <= budget) expect(DATASET_SPLITS.flatMap((split) => held[split])).not.toContain(false);
      },
    ),
  );
});
