import { expect, it } from 'vitest';
import { parseRecipe } from './parse.ts';

const recipe = (teacher: string, field = '') => `
name: vectors
task: feature-extraction
data:
  source: { kind: jsonl, path: rows.jsonl }
outputs:
  vector: { target: embedding, width: 512${field} }
teacher: ${teacher}
objective: [{ kind: cosineKd, weight: 1 }]
student: { kind: text-conv }`;

it.each([
  '{ kind: use-lite }',
  '{ kind: onnx, model: m, train: head }',
  '{ kind: onnx, model: m, train: all }',
])('refuses to train a teacher towards an output that has no labels: %s', (teacher) => {
  expect(() => parseRecipe(recipe(teacher))).toThrow(
    /teacher.train: .* learns from labels, and nothing says what is true of the output 'vector'/,
  );
  expect(() => parseRecipe(recipe(teacher, ', field: v'))).not.toThrow();
});

it('lets a teacher that is not trained say what is true', () => {
  expect(() => parseRecipe(recipe('{ kind: use-lite, train: none }'))).not.toThrow();
});
