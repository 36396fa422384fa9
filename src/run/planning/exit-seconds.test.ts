import { expect, test } from 'vitest';
import type { Recipe } from '../../recipe/schema.ts';
import { callsWithin } from '../exits/time-exits.ts';
import { exitCount } from './exit-seconds.ts';

test('exits are counted as the recipe names them, with the one on a smaller image', () => {
  const count = (...compress: object[]) => exitCount({ compress } as unknown as Pick<Recipe, 'compress'>);
  expect(exitCount({})).toBe(0);
  expect(count({ kind: 'qat' })).toBe(0);
  expect(count({ kind: 'qat' }, { kind: 'exits', after: 3 })).toBe(3);
  expect(count({ kind: 'exits', after: [1, 'stage_2/block_1'], resolution: 2 })).toBe(3);
});

test('as many calls are timed as fit, in three rounds, and never too few or more than there are', () => {
  expect(callsWithin(0.01, 1)).toBe(33);
  expect(callsWithin(0.5, 1)).toBe(20);
  expect(callsWithin(1e-6, 1)).toBe(200);
  expect(callsWithin(1e-6, 1, 50)).toBe(50);
});
