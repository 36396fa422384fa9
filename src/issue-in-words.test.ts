import { expect, test } from 'vitest';
import { z } from 'zod';
import { issueInWords } from './issue-in-words.ts';

test.each([
  [z.object({ a: z.array(z.int()).min(1) }), { a: [] }, 'a: expected at least 1'],
  [z.object({ a: z.array(z.int()) }), { a: [1, 'x'] }, 'a[1]: expected a number'],
  [z.object({ a: z.string() }), {}, 'a: expected a text, and there is nothing'],
  [z.object({}), [], 'expected an object'],
  [z.number().lt(3), 3, 'expected less than 3'],
  [z.enum(['a', 'b']), 'c', 'expected a or b'],
  [z.strictObject({}), { b: 1 }, 'unknown key b'],
  [z.union([z.string(), z.number()]), true, 'this is not as expected'],
  [z.string().regex(/a/, { error: 'expected an a' }), 'b', 'expected an a'],
])('what %o does not take is told in words', (schema, value, words) => {
  expect(issueInWords(schema.safeParse(value).error?.issues[0])).toBe(words);
});
