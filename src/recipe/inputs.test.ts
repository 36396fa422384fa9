import { expect, test } from 'vitest';
import { parseRecipe } from './parse.ts';
import { inputsOf, wantedColumns } from './parts.ts';

const recipe = (more: string) =>
  parseRecipe(`name: a
data: { source: { kind: csv, path: a.csv, textField: body } }
student: { kind: text-conv }
${more}`);

test('the short form is a text in the column that the source names', () => {
  const short = recipe('');
  expect(inputsOf(short)).toEqual([{ name: 'text', modality: 'text', fields: ['body'], options: {} }]);
  expect(wantedColumns(short).inputs).toEqual([{ name: 'body', key: 'data.source.textField' }]);
});

test('the long form names columns, each with the key that asks for it', () => {
  const pair = recipe('inputs: { both: { modality: text, field: [question, passage] } }');
  expect(inputsOf(pair)[0]).toMatchObject({ name: 'both', fields: ['question', 'passage'] });
  expect(wantedColumns(pair).inputs).toEqual([
    { name: 'question', key: 'inputs.both.field' },
    { name: 'passage', key: 'inputs.both.field' },
  ]);
});

test.each([
  ['inputs: {}', /inputs.*expected one input at least/],
  ['inputs: { a: { modality: smell, field: x } }', /inputs.a.modality/],
  ['inputs: { a: { modality: text, field: x, size: 3 } }', /inputs.a.size: unknown key/],
  ['inputs: { a: { modality: text } }', /inputs.a.field/],
  ['inputs: { "1 a": { modality: text, field: x } }', /inputs/],
  ['inputs: { a: { modality: text, field: [x, y, z] } }', /inputs.a.field/],
])('%s is refused with its place', (text, message) => {
  expect(() => recipe(text)).toThrow(message);
});
