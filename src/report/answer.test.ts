import { describe, expect, it } from 'vitest';
import { answerFromLogits } from './answer.ts';

describe('answerFromLogits', () => {
  const logits = new Float32Array([0, 0, 1, 2, 4, 2]);

  it('takes the largest of its row, with its softmax probability', () => {
    expect(answerFromLogits(logits, 0, 3)).toEqual({ label: 2, confidence: Math.E / (2 + Math.E) });
    expect(answerFromLogits(logits, 1, 3).label).toBe(1);
  });

  it('takes the first of equals, and stands logits of any size', () => {
    expect(answerFromLogits(new Float32Array([1e30, 1e30]), 0, 2)).toEqual({ label: 0, confidence: 0.5 });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %d', (value) => {
    expect(() => answerFromLogits(new Float32Array([0, value]), 0, 2)).toThrowError(
      expect.objectContaining({ code: 'model.logits-not-finite' }),
    );
  });
});
