import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

test.each([
  ['bucket', ['buckets', 'labels'], 'buckets'],
  ['maxdrop', ['maxDrop', 'max'], 'maxDrop'],
  ['lr_decay', ['warmup', 'decay'], 'decay'],
  ['epcohs', ['epochs', 'seed'], 'epochs'],
  ['cvs', ['csv', 'jsonl'], 'csv'],
  ['lr', ['kd', 'labels'], undefined],
  ['planet', ['epochs', 'seed'], undefined],
  ['', ['epochs'], undefined],
])('%s', (word, candidates, expected) => {
  expect(nearest(word, candidates)).toBe(expected);
});
