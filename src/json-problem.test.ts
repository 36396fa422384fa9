import { expect, test } from 'vitest';
import { jsonProblem, parseJson } from './json-problem.ts';

test.each([
  ['{"a": NaN}', 'NaN, which JSON does not have: write null (character 7)'],
  ['{"a": -Infinity}', 'Infinity, which JSON does not have: write null (character 8)'],
  ['{"a": True}', 'True, which JSON writes as true (character 7)'],
  ['{"a": None, "b": 1}', 'None, which JSON writes as null (character 7)'],
  ['{a: 1}', 'a without quotes (character 2)'],
  ["{'a': 1}", 'a single quote: names and texts stand in double quotes (character 2)'],
  ['{"a": 1,}', 'a comma before } (character 8)'],
  ['{"a": [1, 2}', '} where [ is open (character 12)'],
  ['{"a": 1}}', '} where no bracket is open (character 9)'],
  ['{"a": [1, 2]', '{ is not closed (character 1)'],
  ['{"a": "x', 'a text that is not closed by " (character 7)'],
  [
    '{"a": "x\ty"}',
    'a line break, tab or other control character within a text: write \\n, \\t (character 9)',
  ],
  ['{"a": 1} // one', 'a comment, which JSON does not have (character 10)'],
  ['{"a" 1}', 'commas, colons or numbers that are not as JSON has them (character 1)'],
  ['{"a": 01}', 'commas, colons or numbers that are not as JSON has them (character 1)'],
  ['{\n  "a": "NaN",\n  "b": nan\n}', 'nan, which JSON does not have: write null (line 3, character 8)'],
  [' ', 'nothing in it'],
])('%j has %s', (text, problem) => {
  expect(jsonProblem(text)).toBe(problem);
  expect(() => parseJson(text)).toThrow(new SyntaxError(problem));
});

test('what is JSON is read', () => {
  expect(parseJson('{"a": [1e5, -2, "NaN", true, null]}')).toEqual({ a: [1e5, -2, 'NaN', true, null] });
});
