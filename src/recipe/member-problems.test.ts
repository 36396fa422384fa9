import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseRecipe } from './parse.ts';
import { RecipeError } from './problems.ts';

const member = { kind: 'onnx', model: 'a' };
const problemsOf = (other: object) => {
  const recipe = {
    name: 'several',
    data: { source: { kind: 'jsonl', path: 'data.jsonl' } },
    teacher: { kind: 'several', teachers: [member, other] },
    student: { kind: 'text-conv' },
  };
  try {
    parseRecipe(stringify(recipe));
    return [];
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
};

test.each([
  [
    { kind: 'chat', model: 'm', endpoint: 'https://example.org/v1' },
    /^teacher\.teachers\[1\]\.kind: 'chat': a hosted/,
  ],
  [{ kind: 'use-lite', train: 'none' }, /^teacher\.teachers\[1\]\.train: its vectors are no classes/],
  [{ kind: 'several', teachers: [member, member] }, /are not several themselves/],
])('one of several teachers cannot be %j', (other, message) => {
  expect(problemsOf(other)).toEqual([expect.stringMatching(message)]);
});

test('what is misspelt is told as such', () => {
  expect(problemsOf({ ...member, modle: 'b' })).toEqual([expect.stringContaining('modle: unknown key')]);
  expect(problemsOf({ ...member, model: 'b' })).toEqual([]);
});

test.each([
  { kind: 'use-lite', head: { hidden: 16 } },
  { ...member, train: 'head' },
  { ...member, train: 'all', whole: { epochs: 1 } },
  { ...member, memory: '4GB' },
])('one of several teachers can be %j', (other) => {
  expect(problemsOf(other)).toEqual([]);
});
