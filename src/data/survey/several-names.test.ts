import { expect, test } from 'vitest';
import { severalNames } from './several-names.ts';
import { chooseColumns, surveyColumns } from './survey-columns.ts';

const KINDS = ['animal', 'plant', 'tool'];
const rows = Array.from({ length: 60 }, (_, i) => ({
  text: `a sentence of its own, number ${i}; with | signs`,
  kinds: i % 4 === 0 ? 'animal|plant' : KINDS[i % 3],
}));

test('names between separators are several classes', () => {
  const found = severalNames(rows.map(({ kinds }) => kinds));
  expect(found).toMatchObject({ separator: '|', distinct: 3 });
  expect(found?.names[0]).toEqual(['animal', 30]);
});

test('lists of names are, too', () => {
  const found = severalNames(rows.map(({ kinds }) => kinds?.split('|')));
  expect(found?.distinct).toBe(3);
  expect(found?.separator).toBeUndefined();
});

test.each([
  ['sentences', rows.map(({ text }) => text)],
  ['one class a row', rows.map((_, i) => KINDS[i % 3])],
  ['nothing', []],
  ['numbers', [1, 2, 3]],
  ['lists of numbers', rows.map(() => [1, 2])],
])('%s are not', (_, values) => {
  expect(severalNames(values)).toBeUndefined();
});

test('a column of several classes is chosen where none has one class', () => {
  const columns = surveyColumns(rows);
  expect(chooseColumns(columns, rows.length)).toEqual({ textField: 'text', classesField: 'kinds' });
  const withClass = rows.map((row, i) => ({ ...row, label: KINDS[i % 2] }));
  expect(chooseColumns(surveyColumns(withClass), rows.length)).toEqual({
    textField: 'text',
    labelField: 'label',
  });
});
