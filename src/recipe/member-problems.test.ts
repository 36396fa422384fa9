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
  [{ kind: 'use-lite' }, /kind: 'use-lite': it has classes only when a head is trained/],
  [{ kind: 'several', teachers: [member, member] }, /are not several themselves/],
  [{ ...member, train: 'head' }, /^teacher\.teachers\[1\]\.train: .*a run of its own/],
  [{ ...member, memory: '4GB' }, /^teacher\.teachers\[1\]\.memory: .*loaded whole/],
])('one of several teachers cannot be %j', (other, message) => {
  expect(problemsOf(other)).toEqual([expect.stringMatching(message)]);
});

test('what is misspelt is told as such', () => {
  expect(problemsOf({ ...member, modle: 'b' })).toEqual([expect.stringContaining('modle: unknown key')]);
  expect(problemsOf({ ...member, model: 'b' })).toEqual([]);
});
