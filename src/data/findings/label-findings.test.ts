import { expect, test } from 'vitest';
import { LabelReader } from '../labels/label-reader.ts';
import { describeLabelFinding, findInLabels, type LabelStatistics } from './label-findings.ts';

function statistics(rows: Record<string, number>, more: Partial<LabelStatistics> = {}): LabelStatistics {
  return {
    classes: Object.entries(rows).map(([label, count], i) => ({ label, rows: count, class: i })),
    from: 'rows',
    unlabelled: 0,
    noLabel: [],
    unusedNames: [],
    contradictions: { texts: 0, rows: 0, first: [] },
    ...more,
  };
}
const said = (rows: Record<string, number>, more?: Partial<LabelStatistics>) =>
  findInLabels(statistics(rows, more)).map(describeLabelFinding);

test('clean labels: nothing is said', () => {
  expect(said({ ham: 5, spam: 7 })).toEqual([]);
  expect(said({ '0': 5, '1': 7, '10': 2 })).toEqual([]);
  expect(said({ '1-star': 5, '2-star': 7 })).toEqual([]);
});

test('near-equal classes, with counts and the way to make them one', () => {
  expect(said({ Spam: 3, ham: 5, 'spam ': 7 })).toEqual([
    `the classes 'Spam' (3 rows), 'spam ' (7 rows) differ in case, spaces or the writing of a number only, and are kept apart; to make them one: data.renameLabels: [{ from: "Spam", to: "spam " }]`,
  ]);
  expect(said({ '1': 3, '1.0': 5, '2': 4 })[0]).toMatch(/'1' \(3 rows\), '1.0' \(5 rows\)/);
  expect(said({ not_ok: 3, 'Not OK': 5 })[0]).toMatch(/to make them one/);
  // Two 64-bit numbers that are the same float.
  expect(said({ '9007199254740992': 3, '9007199254740993': 5 })).toEqual([]);
});

test('classes that look alike, for a character that cannot be seen; it is written as an escape', () => {
  expect(said({ spam: 7, 'sp\u200bam': 3, ham: 5 })).toEqual([
    `the classes 'spam' (7 rows), 'sp\u200bam' (3 rows) differ in case, spaces, characters that cannot be seen or the writing of a number only, and are kept apart; to make them one: data.renameLabels: [{ from: "sp\\u200bam", to: "spam" }]`,
  ]);
  expect(said({ '\u202bspam': 7, spam: 3 })[0]).toMatch(/to make them one/);
  expect(said({ '\u2764\ufe0f': 7, '\u2764': 3 })[0]).toMatch(/to make them one/);
  expect(said({ '\u{1f600}': 7, '\u{1f621}': 3 })).toEqual([]);
});

test.each(['-100', 'NaN', 'null', 'None', 'n/a'])('a class that may mean no label: %s', (label) => {
  expect(said({ a: 9, b: 9, [label]: 4 })).toEqual([
    `the label '${label}' (4 rows) is a class like any other; if it means that a row has no label: data.renameLabels: [{ from: "${label}", to: null }]`,
  ]);
});

test('-1 is an opinion beside 0 and 1, and a mark beside other numbers', () => {
  expect(said({ '-1': 9, '0': 9, '1': 4 })).toEqual([]);
  expect(said({ '-1': 9, '0': 9, '1': 4, '2': 5 })[0]).toMatch(/'-1' \(9 rows\) is a class like any other/);
});

test('lists in texts, values taken for none, rare classes, names for nothing, contradictions', () => {
  expect(said({ "['a', 'b']": 3, '[1, 2]': 3 })[0]).toMatch(/look like lists/);
  expect(said({ a: 2, b: 2 }, { noLabel: [{ value: 'NaN', rows: 1 }] })).toEqual([
    "1 row with the label 'NaN' was taken for a row without a label",
  ]);
  expect(said({ a: 2, b: 1, c: 0 })).toEqual([
    "classes with one row, too few to learn or to measure: 'b'",
    "no row has the class 'c', which the data set declares: left out",
  ]);
  expect(said({ a: 2, b: 2 }, { unusedNames: ['x'] })).toEqual([
    "data.renameLabels names what no row has: 'x'",
  ]);
  const first = [
    [
      { place: 'a.csv:3', label: 'a' },
      { place: 'a.csv:9', label: 'b' },
    ],
  ];
  expect(said({ a: 2, b: 2 }, { contradictions: { texts: 2, rows: 5, first } })).toEqual([
    "2 texts have different labels in different rows (5 rows, all kept); the first: a.csv:3 has 'a', a.csv:9 has 'b'",
  ]);
});

test('the reader numbers, renames and counts labels', () => {
  const reader = new LabelReader({
    title: 'a.csv',
    renameLabels: { Spam: 'spam', '-1': null, unused: 'x' },
  });
  const read = (label?: string, noLabel?: string) =>
    reader.read({ ...(label && { label }), ...(noLabel && { noLabel }) });
  expect([
    read('spam'),
    read('10'),
    read('Spam'),
    read('9'),
    read('-1'),
    read(),
    read(undefined, 'NaN'),
  ]).toEqual([0, 1, 0, 2, -1, -1, -1]);
  expect(reader.summary()).toEqual({
    classes: [
      { label: '9', rows: 1 },
      { label: '10', rows: 1 },
      { label: 'spam', rows: 2 },
    ],
    from: 'rows',
    unlabelled: 3,
    noLabel: [
      { value: '-1', rows: 1 },
      { value: 'NaN', rows: 1 },
    ],
    unusedNames: ['unused'],
  });
});

test('the reader keeps the order of given classes, and of declared ones', () => {
  const label = (name: string) => ({ label: name });
  const given = new LabelReader({ title: '', labels: ['b', 'a'], renameLabels: { B: 'b' } });
  expect([given.read(label('a')), given.read(label('B')), given.read(label('c'))]).toEqual([1, 0, undefined]);
  expect(given.unknown(label('aa'))).toBe("label 'aa' is not in data.labels (the nearest there is 'a')");
  const declared = new LabelReader({ title: '', declared: ['z', 'b', 'a'], renameLabels: { z: 'a' } });
  expect(declared.read(label('b'))).toBe(1);
  expect(declared.summary()).toMatchObject({
    from: 'data-set',
    classes: [
      { label: 'a', rows: 0 },
      { label: 'b', rows: 1 },
    ],
    unusedNames: [],
  });
});
