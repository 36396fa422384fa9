import { expect, test } from 'vitest';
import { parseRecipe } from './parse.ts';
import { RecipeError } from './problems.ts';

const START = `name: a
data: { source: { kind: jsonl, path: a.jsonl } }
teacher: { kind: use-lite }
`;

function problem(text: string) {
  try {
    parseRecipe(START + text);
  } catch (error) {
    if (error instanceof RecipeError) return error.problems[0];
    throw error;
  }
  throw new Error('the recipe was accepted');
}

test.each([
  ['training: { learningRate: 0.1 }', 'training.optimizer.learningRate'],
  ['training: { learning_rate: 0.1 }', 'training.optimizer.learningRate'],
  ['learningRate: 0.1', 'training.optimizer.learningRate'],
  ['training: { optimizer: { kind: adamw, warmup: 0.1 } }', 'training.schedule.warmup'],
  ['epochs: 3', 'training.epochs'],
  ['batch_size: 3', 'training.batchSize'],
  ['training: { epoch: 3 }', 'epochs'],
  ['training: { batch-size: 3 }', 'batchSize'],
  ['training: { maxDrop: 0.1 }', 'export.int8.maxDrop'],
  ['training: { temprature: 0.1 }', 'objective.kd.temperature'],
])('%s means %s', (text, suggestion) => {
  expect(problem(`student: { kind: text-conv }\n${text}`)).toMatchObject({ kind: 'unknown-key', suggestion });
});

test('a key of another kind is told as such, and never suggested as it was typed', () => {
  const found = problem('student: { kind: bert, kernel: 3 }');
  expect(found).toMatchObject({
    path: 'student.kernel',
    message: expect.stringMatching(/belongs to kind 'text-conv'.*the keys here are kind, width/),
  });
  expect(found?.suggestion).toBeUndefined();
});

test('a key that is like no other is told with the keys that there are', () => {
  const found = problem('student: { kind: text-conv }\ntraining: { zzz: 3 }');
  expect(found?.suggestion).toBeUndefined();
  expect(found?.message).toMatch(/^unknown key; the keys here are epochs/);
});
