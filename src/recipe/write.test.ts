import { expect, test } from 'vitest';
import type { ObjectiveMap } from '../objectives/index.ts';
import { parseRecipe } from './parse.ts';
import { stringifyRecipe } from './write.ts';

const recipe = parseRecipe(`name: glosses
data: { source: { kind: wordnet-glosses }, labels: ["yes", "no: really", "3"] }
student: { kind: text-conv }
`);

test('what is written is read as the same recipe', () => {
  expect(parseRecipe(stringifyRecipe(recipe))).toEqual(recipe);
});

test('losses that are not weighed are left out, unless the recipe says something of them', () => {
  const text = stringifyRecipe(recipe);
  expect(text).toMatch(/featureMse:\n {4}weight: 0.3/);
  expect(text).not.toMatch('attention');
  const said = parseRecipe(
    stringifyRecipe(recipe).replace(
      /objective:\n/,
      'objective:\n  hidden: { distance: cosine }\n  rkd: { weight: 2 }\n',
    ),
  );
  expect((said.objective as ObjectiveMap).hidden).toMatchObject({ weight: 0, distance: 'cosine' });
  expect(parseRecipe(stringifyRecipe(said))).toEqual(said);
  // Of labels 0 is something that is said: their weight is 0.1 otherwise.
  const unlabelled = parseRecipe(text.replace(/labels:\n {4}weight: 0.1/, 'labels:\n    weight: 0'));
  expect((unlabelled.objective as ObjectiveMap).labels.weight).toBe(0);
  expect(parseRecipe(stringifyRecipe(unlabelled))).toEqual(unlabelled);
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
