import { expect, it } from 'vitest';
import { mayExplode, safeLength } from './pattern-danger.ts';

const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const CL100K =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

it.each(['(a+)+$', '(a|aa)+b', '(?:\\w+\\s?)*$', '((a))*', '(a|a){20,}', '(a|a?){30}', 'a*a*a*a*a*b'])(
  'takes %s for dangerous',
  (pattern) => {
    expect(mayExplode(pattern)).toBe(true);
  },
);

it.each([GPT2, CL100K, '\\s+$', '[(a+)+]', '\\(a+\\)+', '(?:abc)?', ' {2,}', '(ab){1}'])(
  'takes %s for known',
  (pattern) => {
    expect(mayExplode(pattern)).toBe(false);
  },
);

it.each([
  ['a*a*a*b', 100],
  [`${'a?'.repeat(28)}${'a'.repeat(28)}`, 0],
  [`${'(a|a)'.repeat(28)}b`, 0],
  ['(a*)\\1\\1b', 100],
  ['(?=a*)(?=a*)(?=a*)b', 100],
])('limits the time of texts that %s has too many ways to match', (Regex, longest) => {
  const length = safeLength({ pre_tokenizer: { type: 'Split', pattern: { Regex } } });
  expect(length).toBeLessThanOrEqual(longest);
  const begun = performance.now();
  new RegExp(Regex, 'gu').exec('a'.repeat(length));
  expect(performance.now() - begun).toBeLessThan(3000);
});

it('looks everywhere in a tokenizer but in its vocabulary', () => {
  expect(safeLength({ model: { vocab: { Regex: 5 }, merges: [] }, normalizer: { type: 'Lowercase' } })).toBe(
    Number.POSITIVE_INFINITY,
  );
  const split = (Regex: string) => ({
    pre_tokenizer: { pretokenizers: [{ type: 'Split', pattern: { Regex } }] },
  });
  expect(safeLength(split(GPT2))).toBe(1000);
  expect(safeLength(split('(x+x+)+y'))).toBe(0);
});
