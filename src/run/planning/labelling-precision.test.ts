import { expect, it } from 'vitest';
import type { DistillRecipe } from '../../recipe/schema.ts';
import { likeliestTokens } from '../../targets/kept-form.ts';
import { labellingPrecision } from './teacher-stage.ts';

it('plans float32 where some tokens of answers are kept, which int8 is not compared by', () => {
  const recipe = { teacher: { precision: 'auto' } } as DistillRecipe;
  expect(labellingPrecision(recipe, undefined, [{ kept: likeliestTokens(8) }])).toEqual({
    precision: 'f32',
    certain: true,
  });
  expect(labellingPrecision(recipe, undefined, [{ kept: undefined }]).precision).toBe('int8');
});
