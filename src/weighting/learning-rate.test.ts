import { describe, expect, it } from 'vitest';
import { learningRate } from './learning-rate.ts';

describe('learningRate', () => {
  const schedule = { peak: 2, totalSteps: 110, warmup: 10 / 110 } as const;

  it('rises linearly to the peak', () => {
    const rates = [0, 4, 9, 10].map((step) => learningRate({ ...schedule, decay: 'constant' }, step));
    expect(rates).toEqual([0.2, 1, 2, 2]);
  });

  it('falls as a cosine or a line, to zero', () => {
    for (const decay of ['cosine', 'linear'] as const) {
      expect(learningRate({ ...schedule, decay }, 60)).toBeCloseTo(1, 12);
      expect(learningRate({ ...schedule, decay }, 110)).toBeCloseTo(0, 12);
    }
    expect(learningRate({ ...schedule, decay: 'cosine' }, 35)).toBeCloseTo(1 + Math.SQRT1_2, 12);
  });

  it('does without a warm-up', () => {
    expect(learningRate({ ...schedule, warmup: 0, decay: 'linear' }, 0)).toBe(2);
  });
});
