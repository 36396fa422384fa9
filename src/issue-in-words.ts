import type { z } from 'zod';

/** What a thing is in words, by the names that zod has for it. */
const NAMES: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/**
 * What a schema does not take of a file or an option, in words for a person: what is allowed there. What the schema's author
 * says of it stays.
 *
 * @example issueInWords(issue) // 'categories: expected at least 1'
 */
export function issueInWords(issue: z.core.$ZodIssue | undefined): string {
  if (!issue) return 'it is of another shape';
  const place = issue.path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('');
  const words = wordsOf(issue);
  return place === '' ? words : `${place.replace(/^\./, '')}: ${words}`;
}

function wordsOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type': {
      const missing = / received undefined$/.test(issue.message) ? ', and there is nothing' : '';
      return `expected ${NAMES[issue.expected] ?? issue.expected}${missing}`;
    }
    case 'too_small':
      return `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      return `expected ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
    case 'invalid_value':
      return `expected ${issue.values.map(String).join(' or ')}`;
    case 'unrecognized_keys':
      return `unknown ${issue.keys.length === 1 ? 'key' : 'keys'} ${issue.keys.join(', ')}`;
    default:
      return /^Invalid/.test(issue.message) ? 'this is not as expected' : issue.message;
  }
}
