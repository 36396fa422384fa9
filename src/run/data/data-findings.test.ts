import { expect, test } from 'vitest';
import type { Dataset, DatasetStatistics } from '../../data/dataset.ts';
import type { TextTeacherSource } from '../../teachers/teacher-source.ts';
import { dataFindings } from './data-findings.ts';

const none = { from: 'drawn', cut: 0, missing: 0 } as const;
const statistics: DatasetStatistics = {
  rows: 100,
  broken: { count: 0, first: [], reasons: {} },
  notes: [],
  replaced: { count: 0 },
  origins: { validation: none, test: none },
  duplicates: 0,
  unlabelledHeldOut: 0,
  tokenLengths: [],
  classCounts: { train: [40, 40], labelled: [40, 40], validation: [5, 5], test: [5, 5] },
};

const findings = (found: Partial<DatasetStatistics>, maxLength?: number) =>
  dataFindings(
    {
      labels: ['ham', 'spam'],
      splits: Object.fromEntries(
        ['train', 'labelled', 'validation', 'test'].map((name) => [
          name,
          { size: name === 'test' ? 10 : 20 },
        ]),
      ) as unknown as Dataset['splits'],
      statistics: { ...statistics, ...found },
    } as unknown as Dataset,
    maxLength === undefined ? undefined : ({ maxLength } as TextTeacherSource),
  );

test('sound data are no finding', () => {
  expect(findings({})).toEqual([]);
});

test('broken rows by reason, with the first of them', () => {
  const first = [{ where: 'a.csv:3', problem: 'not JSON' }];
  const broken = { count: 12, first, reasons: { json: 2, columns: 10 } };
  expect(findings({ broken })).toEqual([
    '12 broken rows were left out; the first: a.csv:3: not JSON (in all 10 with another number of columns than the header, or the header again, 2 with not a JSON object; listed in broken-rows.jsonl)',
  ]);
});

test('inputs that held-out samples share with training samples', () => {
  const shared = { image: { heldOut: 40, shared: 10 }, text: { heldOut: 40, shared: 0 } };
  expect(findings({ shared })).toEqual([
    expect.stringMatching(/^10 of 40 validation and test samples \(25.* the same image as a training sample/),
  ]);
});

test('a class that a split does not have, with what there is of it', () => {
  const classCounts = { train: [40, 1], labelled: [40, 1], validation: [20, 0], test: [9, 1] };
  expect(findings({ classCounts })).toEqual(["no validation sample has the class 'spam' (1 to train on)"]);
});

test('a split of the data set that is not as the recipe wants it', () => {
  const origins = {
    test: { from: 'data', cut: 90, missing: 0 },
    validation: { from: 'data', cut: 0, missing: 5 },
  } as const;
  expect(findings({ origins })).toEqual([
    "splits.validation asks for 25 samples, and the data set's own validation split has 20: it is taken whole",
    "the data set's own test split was cut to 10 samples, as splits.test asks; 90 are not used",
  ]);
});

test('letters that were lost before, and what the source assumed', () => {
  const notes = [{ kind: 'delimiter', message: 'a.csv: columns are divided by tabs' }] as const;
  expect(findings({ replaced: { count: 2, first: 'a.csv:9' }, notes: [...notes] })).toEqual([
    'a.csv: columns are divided by tabs',
    expect.stringMatching(/^2 texts hold the character U\+FFFD.* the first: a.csv:9$/),
  ]);
});

test('how many texts are cut, and a length that would do where the teacher reads it', () => {
  const tokenLengths = [0, 0, 0, 0, 100];
  const longTexts: DatasetStatistics['longTexts'] = { longest: 8, counts: [[8, 50]] };
  const found = (maxLength?: number) => findings({ tokenLengths, longTexts }, maxLength).join();
  expect(found()).toMatch(/^50 of 100 texts \(50.0 %\) have more .* are cut; 8 would cut one of a hundred/);
  expect(found(512)).toBe(found());
  expect(found(6)).toMatch(/are cut; the teacher reads up to 6$/);
  expect(found(4)).toMatch(/are cut: the teacher reads no more$/);
});

test('rows that are not gathered, and rows that two splits have', () => {
  const differing = { contents: 1, rows: 2, first: [['a.jsonl:3', 'a.jsonl:9']] };
  const [told, ...others] = findings({ differing });
  expect(told).toMatch(/^2 rows share .* \(1 different contents; the first: a.jsonl:3 and a.jsonl:9\)/);
  expect(others).toEqual([]);
  expect(findings({ duplicates: 1 })).toEqual([]);
  expect(findings({ duplicates: 2 })[0]).toMatch(/^2 of 100 rows \(2\.0 %\) were left out/);
});

test('words of held-out sentences that the training does not have', () => {
  const none = { all: 100, unknown: 0 };
  const parts = { said: { train: none, labelled: none, validation: none, test: { all: 200, unknown: 3 } } };
  expect(findings({ parts })).toEqual([
    'outputs.said: 3 of 200 words (1.5 %) of the test split are not in the vocabulary of the training sentences, and count as wrong',
  ]);
});
