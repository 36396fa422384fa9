import { expect, test } from 'vitest';
import { namesFor, rowWeightsOf } from './output-names.ts';

test('names of a term about the main output are those of its kind and of the columns', () => {
  const { of: _, ...names } = namesFor('kd', undefined, {});
  expect(names).toEqual({
    output: 'logits',
    term: 'kd',
    labels: 'labels',
    rowWeights: 'row_weights',
    tap: 'logits',
  });
  // Said or not, it is the same output.
  expect(namesFor('kd', 'logits', {}).term).toBe('kd');
  expect(namesFor('kd', undefined, { mainOutput: 'embedding' })).toMatchObject({
    output: 'embedding',
    term: 'kd',
    labels: 'labels',
    tap: 'embedding',
  });
});

test('names about another output have it behind them', () => {
  const names = namesFor('kd', 'tags', {});
  expect(names).toMatchObject({
    term: 'kd/tags',
    labels: 'labels/tags',
    rowWeights: 'row_weights/tags',
    tap: 'tags',
  });
  expect(names.of('temperature')).toBe('temperature/tags');
});

test('rows have weights of their own only where they may lack an output, if that is known', () => {
  const weighted = new Set(['image']);
  const weights = ['logits', 'tags', 'image'].map((output) => rowWeightsOf(output, { weighted }));
  expect(weights).toEqual(['row_weights', 'row_weights', 'row_weights/image']);
  expect(rowWeightsOf('image', { mainOutput: 'image', weighted })).toBe('row_weights/image');
});
