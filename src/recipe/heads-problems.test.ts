import { expect, it } from 'vitest';
import { parseRecipe } from './parse.ts';

const recipe = (student: string, output = '{ target: sentence, field: text }') => `
name: heads
task: image-classification
data:
  source: { kind: jsonl, path: rows.jsonl }
inputs:
  image: { modality: image, field: image }
outputs:
  said: ${output}
student: ${student}`;

it.each([
  [
    '{ kind: vit, width: 15, heads: 2 }',
    undefined,
    /student.heads: 2 attention heads do not divide a width of 15/,
  ],
  [
    '{ kind: resnet }',
    '{ target: sentence, field: text, width: 18 }',
    /outputs.said.heads: 4 attention heads .* 18/,
  ],
  ['{ kind: clip, text: { heads: 7 } }', undefined, /student.text.heads: 7 attention heads/],
])('refuses heads that do not divide the width, before anything is read: %s', (student, output, message) => {
  expect(() => parseRecipe(recipe(student, output))).toThrow(message);
});

it('lets the width of a cut student be a part, and heads divide', () => {
  expect(() => parseRecipe(recipe('{ kind: vit, width: 16, heads: 2 }'))).not.toThrow();
  expect(() => parseRecipe(recipe('{ kind: cut, layers: 2, heads: 3, width: 0.5 }'))).not.toThrow(
    /do not divide/,
  );
});
