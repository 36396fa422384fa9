import { expect, it } from 'vitest';
import { MMLU_CATEGORIES, mmluCategory } from './mmlu-categories.ts';

it('knows a category of each subject of MMLU', () => {
  expect(MMLU_CATEGORIES).toEqual(['humanities', 'social sciences', 'STEM', 'other']);
  expect(['world_religions', 'sociology', 'machine_learning', 'anatomy'].map(mmluCategory)).toEqual(
    MMLU_CATEGORIES,
  );
  expect(mmluCategory('toString')).toBeUndefined();
});
