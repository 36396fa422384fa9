import { expect, test } from 'vitest';
import { orderClasses } from './class-order.ts';

const shuffled = <T>(values: readonly T[]) => values.toSorted((a, b) => `${b}`.length - `${a}`.length);

test.each([
  ['whole numbers by their value', ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11']],
  ['numbers below zero and fractions', ['-100', '-1', '0', '0.5', '1.0', '2', '1e2']],
  ['numbers with zeros before them', ['000', '001', '002', '010', '100']],
  ['64-bit numbers that no float tells apart', ['9007199254740992', '9007199254740993', '9007199254740994']],
  [
    'the names that transformers gives, by their index',
    ['LABEL_0', 'LABEL_1', 'LABEL_2', 'LABEL_10', 'LABEL_11'],
  ],
  ['numbers before words', ['1', '2', '10', '1st', 'other']],
  ['words by their code units, in every language', ['Zebra', 'ant', 'zoo', 'Ärger', 'äh', '犬']],
  ['numbers inside words are no numbers', ['a1', 'a10', 'a2']],
  ['booleans as their numbers', ['false', 'true']],
])('%s', (_, names) => {
  expect(orderClasses(shuffled(names))).toEqual(names);
  expect(orderClasses(names.toReversed())).toEqual(names);
});

test('names that are the same number keep a fixed order', () => {
  expect(orderClasses(['1.0', '1', '01'])).toEqual(orderClasses(['01', '1', '1.0']));
});
