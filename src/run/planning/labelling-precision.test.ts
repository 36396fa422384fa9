import { expect, it } from 'vitest';
import type { DistillRecipe } from '../../recipe/schema.ts';
import type { FeatureKind } from '../../targets/features.ts';
import { type KeptForm, likeliestTokens } from '../../targets/kept-form.ts';
import { labellingPrecision } from './teacher-stage.ts';

it('plans float32 where some tokens of answers are kept, but for language models, which are compared token by token', () => {
  const recipe = { teacher: { precision: 'auto' } } as DistillRecipe;
  const precisionOf = (features: FeatureKind, kept?: KeptForm) =>
    labellingPrecision(recipe, undefined, [{ kept, features }]);
  expect(precisionOf('map', likeliestTokens(8))).toEqual({ precision: 'f32', certain: true });
  expect(precisionOf('causal', likeliestTokens(8))).toEqual({ precision: 'int8', certain: false });
  expect(precisionOf('pooled').precision).toBe('int8');
});
