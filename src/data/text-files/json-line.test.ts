import { expect, test } from 'vitest';
import { parseJsonLine } from './json-line.ts';

const row = (line: string) => {
  const parsed = parseJsonLine(line, ['text', 'label']);
  return 'row' in parsed ? parsed.row : parsed.problem;
};

test('whole numbers beyond 2^53 keep their digits', () => {
  expect(
    row('{"id": 9007199254740993, "label": -12345678901234567890, "n": [18446744073709551615]}'),
  ).toEqual({
    id: '9007199254740993',
    label: '-12345678901234567890',
    n: ['18446744073709551615'],
  });
  expect(
    row('{"text": "9007199254740993 \\" 9007199254740993", "a": 0.1234567890123456789, "b": 1e300}'),
  ).toEqual({
    text: '9007199254740993 " 9007199254740993',
    a: 0.12345678901234568,
    b: 1e300,
  });
  expect(row('{"id": 9007199254740991}')).toEqual({ id: 9007199254740991 });
});

test('a name that is there twice is told, and one inside another value is not', () => {
  expect(row('{"text": "a", "label": "x", "text": "b"}')).toBe("'text' is there twice");
  expect(row('{"text": "a", "more": {"text": "b"}, "label": "text"}')).toEqual({
    text: 'a',
    more: { text: 'b' },
    label: 'text',
  });
  expect(row('{"text": "say \\"text\\": x", "label": "\\\\"}')).toEqual({
    text: 'say "text": x',
    label: '\\',
  });
});

test('rows that no program should read are broken rows', () => {
  for (const depth of [101, 5000, 1_000_000]) {
    expect(row(`{"text": "a", "deep": ${'['.repeat(depth)}${']'.repeat(depth)}}`)).toBe(
      'nested more than 100 deep',
    );
    expect(row('{"a":'.repeat(depth))).toBe('nested more than 100 deep');
  }
  expect(row(`{"text": "${'['.repeat(5000)}"}`)).toEqual({ text: '['.repeat(5000) });
  expect(row('[1]')).toBe('not a JSON object');
  expect(row('null')).toBe('not a JSON object');
  expect(row('{"text": ')).toMatch(/^not JSON/);
});
