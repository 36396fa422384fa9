import { describe, expect, it } from 'vitest';
import { AnswerAgreement } from './answer-agreement.ts';

describe('AnswerAgreement', () => {
  it('counts samples, and tells which part of the spread is the same', () => {
    const agreement = new AnswerAgreement();
    agreement.add(Float32Array.of(0, 2), Float32Array.of(0, 2), 2);
    agreement.add(Float32Array.of(4), Float32Array.of(6), 1);
    const { samples, top1, kl } = agreement.summary();
    expect(samples).toBe(3);
    // Spread 8 (4 + 0 + 4), distance 4.
    expect(top1).toBeCloseTo(0.5);
    expect(kl).toBeCloseTo(4 / 3);
  });

  it('is whole where both answer the same to everything', () => {
    const agreement = new AnswerAgreement();
    agreement.add(Float32Array.of(3, 3), Float32Array.of(3, 3), 2);
    expect(agreement.summary().top1).toBe(1);
  });
});
