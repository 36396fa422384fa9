import { describe, it } from 'vitest';
import type { GradientCheck } from '../testing/check-gradients.ts';
import { checkSymbolic } from '../testing/check-symbolic.ts';
import { GRADIENT_CASES } from '../testing/gradient-cases/all.ts';

describe('gradients with sizes that are names equal those with numbers', () => {
  it.each(GRADIENT_CASES)('%s: %s', async (_operator: string, _form: string, check: GradientCheck) => {
    await checkSymbolic(check, 'by size');
    await checkSymbolic(check, 'each');
  });
});
