import { expect, test } from 'vitest';
import { float32 } from '../onnx/tensor.ts';
import { pairRecall } from './pair-recall.ts';

const batch = (rows: number, columns = {}) => ({ filled: rows, ordinals: [], columns });

test('recall@k both ways, over all batches', () => {
  // Texts at 0, 90 and 180 degrees; the second image lies nearest to the first text.
  const at = (degrees: number) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const pairs = [
    [...at(0), ...at(10)],
    [...at(90), ...at(5)],
    [...at(180), ...at(170)],
  ];
  const recall = (k: number, direction: 'text-to-image' | 'image-to-text') => {
    const metric = pairRecall({ width: 2, k, direction });
    const state = metric.start();
    metric.add(state, float32(pairs.slice(0, 2).flat(), [2, 4]), batch(2));
    metric.add(state, float32(pairs.slice(2).flat(), [1, 4]), batch(1));
    return metric.value(state);
  };
  // Text 1 (at 0) finds image 2 (at 5); text 2 (at 90) finds images at 10 and 170 equally near, its own last.
  expect(recall(1, 'text-to-image')).toBeCloseTo(1 / 3);
  expect(recall(2, 'text-to-image')).toBeCloseTo(2 / 3);
  // Images 1 and 2 find text 1; text 2 is the second choice of image 2.
  expect(recall(1, 'image-to-text')).toBeCloseTo(2 / 3);
  expect(recall(2, 'image-to-text')).toBe(1);
});

test('a pair with one side missing does not count', () => {
  const metric = pairRecall({ width: 1, k: 1, direction: 'text-to-image', weights: ['row_weights/image'] });
  const state = metric.start();
  const columns = { 'row_weights/image': float32([1, 0]) };
  metric.add(state, float32([1, 1, 1, 1], [2, 2]), batch(2, columns));
  expect(metric.value(state)).toBe(1);
});

test('answers that are all alike find theirs by chance', () => {
  const metric = pairRecall({ width: 2, k: 10, direction: 'image-to-text' });
  const state = metric.start();
  metric.add(state, float32(new Array(400).fill(0.5), [100, 4]), batch(100));
  expect(metric.value(state)).toBeCloseTo(0.1);
});
