import { expect, test } from 'vitest';
import type { Batch } from '../data/batch.ts';
import { ANSWER_PLACES, SEQUENCE } from '../data/columns.ts';
import { float32, int64 } from '../onnx/tensor.ts';
import { answersOf } from './model-batches.ts';

// Two rows of eight tokens of the teacher, and of three of the student.
const batch: Batch = {
  rows: 2,
  filled: 1,
  keys: new Uint8Array(16),
  ordinals: Uint32Array.of(0, 0),
  sizes: { batch: 2, [SEQUENCE]: 8 },
  columns: { [ANSWER_PLACES]: int64(new Array(2 * 3 * 4).fill(0), [2, 3, 4]) },
};
const outputs = {
  logits: { type: 'float32', dims: [SEQUENCE, 2] },
  spans: { type: 'float32', dims: [SEQUENCE, 2], answered: true },
} as const;
const results = {
  logits: float32(new Array(2 * 8 * 2).fill(1), [2, 8, 2]),
  spans: float32(new Array(2 * 3 * 2).fill(1), [2, 3, 2]),
};

test('an answer is as long as the tokens that it is about, the teacher’s or the student’s', () => {
  const found = answersOf(results, { outputs, taps: ['logits', 'spans'], batch, title: 'the teacher' });
  expect([found.logits?.length, found.spans?.length]).toEqual([16, 6]);
  const swapped = { logits: results.spans, spans: results.logits };
  for (const tap of ['logits', 'spans'])
    expect(() => answersOf(swapped, { outputs, taps: [tap], batch, title: 'the teacher' })).toThrow(
      /another shape/,
    );
});
