import { expect, test } from 'vitest';
import { fieldRemedy } from '../data/output-keys.ts';
import { parseRecipe } from './parse.ts';
import { inputKey, inputsOf, outputKeys, outputsOf, wantedColumns } from './parts.ts';

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

test('remedies name the keys that a recipe has', () => {
  const keys = (more: object, source: object) => {
    const recipe = { task: 'text-classification', data: { source }, ...more };
    return [outputKeys(recipe, outputsOf(recipe)[0]!), inputKey(recipe, inputsOf(recipe)[0]!)];
  };
  const table = { kind: 'csv', textField: 'text', labelField: 'label' };
  expect(keys({}, table)).toEqual([
    { field: 'data.source.labelField', labels: 'data.labels' },
    'data.source.textField',
  ]);
  const outputs = { y: { target: 'class', field: 'mood' } };
  expect(keys({ outputs }, table)[0]).toEqual({ field: 'outputs.y.field', labels: 'outputs.y.labels' });
  const inputs = { x: { modality: 'text', field: 'body' } };
  expect(keys({ inputs }, table)[1]).toBe('inputs.x.field');
  // Folders by class have no columns.
  expect(keys({ task: 'image-classification' }, { kind: 'image-folder' })).toEqual([
    { field: undefined, labels: 'data.labels' },
    undefined,
  ]);
  // A table of boxes names the classes of boxes, and gathers them in a column of its own.
  const boxes = { kind: 'box-table', labelField: 'label', boxFields: ['a', 'b', 'c', 'd'] };
  expect(keys({ task: 'object-detection' }, boxes)[0]).toMatchObject({ field: undefined });
  expect(outputsOf({ task: 'object-detection', data: { source: boxes } })[0]?.field).toBe('boxes');
  expect(fieldRemedy({ field: undefined, labels: 'data.labels' }, 'two classes at least')).toBe(
    'Bring rows that have two classes at least.',
  );
});
