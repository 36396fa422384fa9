import { describe, expect, it } from 'vitest';
import { checkGradients, type GradientCheck } from '../testing/check-gradients.ts';
import { GRADIENT_CASES } from '../testing/gradient-cases/all.ts';
import { GRADIENT_RULES } from './registry.ts';

/** What rounds has no slope to compare with: `quantization.test.ts`. */
const ROUNDING = ['QuantizeLinear', 'DynamicQuantizeLinear', 'com.microsoft::QuantizeLinear'];

describe('gradient rules', () => {
  it('has a case for every rule', () => {
    const covered = new Set([...GRADIENT_CASES.map(([operator]) => operator), ...ROUNDING]);
    expect([...GRADIENT_RULES.keys()].filter((operator) => !covered.has(operator))).toEqual([]);
    expect([...covered].filter((operator) => !GRADIENT_RULES.has(operator))).toEqual([]);
  });

  it.each(GRADIENT_CASES)('%s: %s', async (_operator: string, _form: string, check: GradientCheck) => {
    await checkGradients(check);
  });
});
