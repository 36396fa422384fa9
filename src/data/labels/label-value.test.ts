import { expect, test } from 'vitest';
import { textRow } from '../testing/text-rows.ts';
import { readLabel, withPlainIntegers } from './label-value.ts';

const NAMES = ['neg', 'pos', 'neutral'];

test.each([
  ['text as it stands', ' Spam ', { label: ' Spam ' }],
  ['a number', 10, { label: '10' }],
  ['a float that is whole', 1.0, { label: '1' }],
  ['a float', 0.5, { label: '0.5' }],
  ['a 64-bit integer', 9007199254740993n, { label: '9007199254740993' }],
  ['a boolean', false, { label: 'false' }],
  ['-1, which may be a class', -1, { label: '-1' }],
  ['null', null, {}],
  ['an empty text', '', {}],
  ['nothing', undefined, {}],
  ['not a number', Number.NaN, { noLabel: 'NaN' }],
  ['spaces alone', ' \t', { noLabel: ' \t' }],
  ['half of a surrogate pair', '\ud83d', { problem: 'which has half of a surrogate pair' }],
  ['infinity', Infinity, { problem: 'which is no class name' }],
  ['an object', {}, { problem: 'which is no class name' }],
])('a label that is %s', (_, value, expected) => {
  expect(readLabel(value, undefined)).toEqual(expected);
});

test.each([
  ['a position', 1, { label: 'pos' }],
  ['a 64-bit position', 2n, { label: 'neutral' }],
  ['a position in a CSV file', '1', { label: 'pos' }],
  ['a position that pandas wrote', '1.0', { label: 'pos' }],
  ['a name', 'neg', { label: 'neg' }],
  ['-1: no label', -1n, {}],
  ['a position beyond', 3, { problem: 'which is none of the 3 classes that the data set declares' }],
  ['half of one', 0.5, { problem: 'which is none of the 3 classes that the data set declares' }],
  ['another text', 'Pos', { problem: 'which is none of the 3 classes that the data set declares' }],
])('with declared names: %s', (_, value, expected) => {
  expect(readLabel(value, NAMES)).toEqual(expected);
});

test('a list of labels, of 64-bit integers too, is told apart from other broken rows', () => {
  const fields = { text: 'text', label: 'label' };
  const read = (label: unknown) => textRow({ where: 'a:1', values: { text: 'a', label } }, fields);
  expect(read([0n, 2n])).toEqual({
    broken: {
      where: 'a:1',
      problem:
        "several classes for a text, where one is wanted: 'label' is a list ([0,2]); a text can have one class",
      reason: 'label',
    },
  });
  expect(read({ b: 1n })).toEqual({
    broken: { where: 'a:1', problem: '\'label\' is {"b":1}, which is no class name', reason: 'label' },
  });
});

test('64-bit integers within values are numbers, or texts with all their digits', () => {
  const floats = new Float32Array([1]);
  expect(withPlainIntegers([{ start: 0n, end: -5n, label: 'x', floats }, [9007199254740993n], null])).toEqual(
    [{ start: 0, end: -5, label: 'x', floats }, ['9007199254740993'], null],
  );
  expect(withPlainIntegers('5')).toBe('5');
});
