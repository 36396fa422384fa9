import { expect, test } from 'vitest';
import { parseRecipe } from './parse.ts';
import { stringifyRecipe } from './write.ts';

const recipe = parseRecipe(`name: glosses
data: { source: { kind: wordnet-glosses }, labels: ["yes", "no: really", "3"] }
student: { kind: text-conv }
`);

test('what is written is read as the same recipe', () => {
  expect(parseRecipe(stringifyRecipe(recipe))).toEqual(recipe);
});

test('comments stand above their keys', () => {
  const text = stringifyRecipe(recipe, {
    '': 'yaml-language-server: $schema=recipe.schema.json\nsecond line',
    'training.epochs': 'At most.',
    'training.nothing': 'never shown',
  });
  expect(text).toMatch(/^# yaml-language-server: \$schema=recipe.schema.json\n# second line\n/);
  expect(text).toMatch(/\n {2}# At most\.\n {2}epochs: 8\n/);
  expect(text).not.toMatch('never shown');
  expect(text).toMatch('buckets: [16, 24, 32, 48, 64]');
  expect(parseRecipe(text)).toEqual(recipe);
});
