import { expect, it } from 'vitest';
import { pleasesAlone } from './pleasing-alone.ts';

const rows = (...values: [loss: number, perplexity: number][]) =>
  values.map(([loss, perplexity]) => ({ loss, 'validation/perplexity': perplexity }));
const how = { validation: 'validation/perplexity', better: 'lower', patience: 2 } as const;

it('finds a loss that falls while the task gets worse, so many evaluations in a row', () => {
  expect(pleasesAlone(rows([3, 9], [2, 10], [1, 11]), how)).toBe(true);
  expect(pleasesAlone(rows([9, 1], [3, 9], [2, 10], [1, 11]), how)).toBe(true);
  // Too few; one that was no worse; a loss that did not fall.
  expect(pleasesAlone(rows([2, 10], [1, 11]), how)).toBe(false);
  expect(pleasesAlone(rows([3, 9], [2, 10], [1, 10]), how)).toBe(false);
  expect(pleasesAlone(rows([1, 9], [2, 10], [1, 11]), how)).toBe(false);
  expect(pleasesAlone(rows([3, 9], [2, 8], [1, 7]), { ...how, better: 'higher' })).toBe(true);
});
