import { expect, test } from 'vitest';
import { float32 } from '../onnx/tensor.ts';
import { classRates } from './class-rates.ts';

const batch = (rows: readonly (readonly number[])[], weights?: readonly number[]) => ({
  filled: rows.length,
  ordinals: new Uint32Array(rows.length),
  columns: {
    labels: float32(rows.flat(), [rows.length, 3]),
    ...(weights && { 'row_weights/tags': float32(weights, [rows.length]) }),
  },
});

test('logits begin with the log odds of the classes among samples whose classes are known', () => {
  const prior = classRates(3, { labels: 'labels' });
  prior.add(
    batch([
      [1, 0, 0],
      [0, 1, 0],
      [1, 1, -1],
    ]),
  );
  prior.add(
    batch([
      [1, 0, 0],
      [-1, -1, -1],
    ]),
  );
  const odds = [3.5 / 1.5, 2.5 / 2.5, 0.5 / 3.5].map((value) => expect.closeTo(Math.log(value), 6));
  expect(Array.from(prior.result())).toEqual(odds);
});

test('samples without a truth count nothing, and nothing at all begins at 0', () => {
  const prior = classRates(3, { labels: 'labels', weights: 'row_weights/tags' });
  expect(Array.from(prior.result())).toEqual([0, 0, 0]);
  prior.add(batch([[1, 1, 1]], [0]));
  expect(Array.from(prior.result())).toEqual([0, 0, 0]);
});
