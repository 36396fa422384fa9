import { expect, it } from 'vitest';
import { orderByConfusion } from './heat-map.ts';

it('puts classes that are confused with one another side by side', () => {
  const pairs = [
    { truth: 0, predicted: 3, count: 9 },
    { truth: 3, predicted: 2, count: 5 },
    { truth: 1, predicted: 0, count: 1 },
  ];
  expect(orderByConfusion(4, pairs, 10)).toEqual([3, 0, 1, 2]);
});

it('keeps the classes with the most errors when there are too many', () => {
  const pairs = [
    { truth: 4, predicted: 2, count: 3 },
    { truth: 2, predicted: 0, count: 2 },
    { truth: 1, predicted: 3, count: 1 },
  ];
  expect(orderByConfusion(5, pairs, 3).sort()).toEqual([0, 2, 4]);
});

it('names every class once, without errors too', () => {
  expect(orderByConfusion(3, [], 10).sort()).toEqual([0, 1, 2]);
});
