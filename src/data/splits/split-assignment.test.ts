import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mixSeed } from '../../random.ts';
import { LabelSelection } from './label-selection.ts';
import {
  assignSplits,
  CUT,
  DUPLICATE,
  type SampleTable,
  type SplitSizes,
  TEST,
  TRAIN,
  UNLABELLED_HELD_OUT,
  VALIDATION,
} from './split-assignment.ts';

interface Row {
  group: string;
  text: string;
  labelled?: boolean;
  label?: number;
  split?: number;
}

function tableOf(rows: Row[], seed = 1): SampleTable {
  const splits = rows.map(({ split }) => split ?? TRAIN);
  return {
    size: rows.length,
    groupHash: (sample) => mixSeed(seed, rows[sample]!.group) >>> 0,
    label: (sample) => ((rows[sample]!.labelled ?? true) ? (rows[sample]!.label ?? 0) : -1),
    split: (sample) => splits[sample]!,
    assign: (sample, split) => {
      splits[sample] = split;
    },
    textHash: (sample) => mixSeed(2, rows[sample]!.text) >>> 0,
  };
}

function assigned(rows: Row[], sizes: SplitSizes, classes?: string[]): number[] {
  const table = tableOf(rows);
  assignSplits(table, sizes, 'here', classes);
  return rows.map((_, sample) => table.split(sample));
}

const rowsArbitrary = fc.array(
  fc.record({
    group: fc.integer({ min: 0, max: 60 }).map(String),
    text: fc.integer({ min: 0, max: 80 }).map(String),
    labelled: fc.boolean(),
  }),
  { minLength: 60, maxLength: 200 },
);

describe('assignSplits', () => {
  const single = (count: number): Row[] =>
    Array.from({ length: count }, (_, i) => ({ group: `${i}`, text: `${i}` }));
  const count = (splits: number[], split: number) => splits.filter((one) => one === split).length;

  it('gives exactly the counts asked for, and fractions rounded', () => {
    const splits = assigned(single(1000), { validation: 123, test: 400 });
    expect([count(splits, TRAIN), count(splits, VALIDATION), count(splits, TEST)]).toEqual([477, 123, 400]);
    const parts = assigned(single(1000), { validation: 0.1, test: 0.25 });
    expect([count(parts, VALIDATION), count(parts, TEST)]).toEqual([100, 250]);
    const few = assigned(single(4), { validation: 0.1, test: 0.1 });
    expect([count(few, TRAIN), count(few, VALIDATION), count(few, TEST)]).toEqual([2, 1, 1]);
    expect(count(assigned(single(50), { validation: 25, test: 25 }), TRAIN)).toBe(0);
  });

  it('does not depend on the order of the samples', () => {
    const rows = single(300);
    const forwards = assigned(rows, { validation: 30, test: 60 });
    const backwards = assigned(rows.toReversed(), { validation: 30, test: 60 });
    expect(backwards.toReversed()).toEqual(forwards);
  });

  it('keeps groups whole and texts in one split', () => {
    fc.assert(
      fc.property(rowsArbitrary, (rows) => {
        let splits: number[];
        try {
          splits = assigned(rows, { validation: 5, test: 5 });
        } catch (error) {
          expect(error).toMatchObject({ code: 'data.too-few' });
          return;
        }
        const kept = [TRAIN, VALIDATION, TEST];
        const torn: string[] = [];
        for (const key of [(row: Row) => `group ${row.group}`, (row: Row) => `text ${row.text}`]) {
          const seen = new Map<string, number>();
          rows.forEach((row, i) => {
            if (!kept.includes(splits[i]!)) return;
            if ((seen.get(key(row)) ?? splits[i]) !== splits[i]) torn.push(key(row));
            seen.set(key(row), splits[i]!);
          });
        }
        expect(torn).toEqual([]);
        expect(count(splits, VALIDATION)).toBe(5);
        expect(count(splits, TEST)).toBe(5);
        const heldOut = rows.filter((_, i) => splits[i] === VALIDATION || splits[i] === TEST);
        expect(heldOut.every(({ labelled }) => labelled)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps the splits that a data set comes with, without texts that are in two', () => {
    const rows: Row[] = [
      { group: 'a', text: 'one', split: TRAIN },
      { group: 'b', text: 'two', split: TEST },
      { group: 'c', text: 'two', split: TRAIN },
      { group: 'd', text: 'two', split: VALIDATION },
      { group: 'e', text: 'three', split: VALIDATION },
      { group: 'f', text: 'four', split: TEST, labelled: false },
    ];
    expect(assigned(rows, {})).toEqual([TRAIN, TEST, DUPLICATE, DUPLICATE, VALIDATION, UNLABELLED_HELD_OUT]);
    const own = rows.filter(({ split }) => split !== VALIDATION);
    expect(count(assigned(own, { validation: 1 }), VALIDATION)).toBe(1);
    const contest = [...single(20), { group: 'x', text: 'x', split: TEST, labelled: false }];
    expect(count(assigned(contest, { test: 4 }), TEST)).toBe(4);
  });

  it('cuts a split of the data set to the size asked for, and refuses a larger one', () => {
    const rows = single(100).map((row, i) => ({ ...row, split: i < 40 ? TEST : TRAIN, label: i % 2 }));
    const cut = assigned(rows, { test: 10 }, ['a', 'b']);
    expect([count(cut, TEST), count(cut, CUT), count(cut, TRAIN)]).toEqual([10, 30, 60]);
    // The classes have the same part of it as of the whole.
    expect(rows.filter(({ label }, i) => cut[i] === TEST && label === 0)).toHaveLength(5);
    expect(count(assigned(rows, { test: 40 }), TEST)).toBe(40);
    expect(() => assigned(rows, { test: 41 })).toThrow(/splits.test asks for 41 .* own test split has 40/);
    const table = tableOf(rows);
    expect(assignSplits(table, { test: 0.5, validation: 0.1 }, 'here')).toEqual({
      test: { from: 'data', cut: 0, missing: 10 },
      validation: { from: 'drawn', cut: 0, missing: 0 },
    });
    expect(rows.filter((_, i) => table.split(i) === TEST)).toHaveLength(40);
  });

  it('draws what neither the recipe nor the data set says', () => {
    const splits = assigned(single(100), { test: 30, otherwise: 0.1 });
    expect([count(splits, TEST), count(splits, VALIDATION)]).toEqual([30, 10]);
  });

  it('gives every class its part of each split, and a rare class the same for every seed', () => {
    const classes = ['rare', 'two', 'common', 'other'];
    const rows = single(400).map((row, i) => ({ ...row, label: i < 2 ? 0 : i < 4 ? 1 : 2 + (i % 2) }));
    for (let seed = 1; seed <= 20; seed++) {
      const table = tableOf(rows, seed);
      assignSplits(table, { validation: 80, test: 0.25 }, 'here', classes);
      const counts = [TRAIN, VALIDATION, TEST].map((split) =>
        classes.map(
          (_, label) => rows.filter((row, i) => row.label === label && table.split(i) === split).length,
        ),
      );
      expect(counts).toEqual([
        [1, 1, 109, 109],
        [0, 0, 40, 40],
        [1, 1, 49, 49],
      ]);
    }
  });

  it('keeps groups whole where their classes do not fit the parts', () => {
    // Groups of 3 samples of all classes: 10 is not divisible by 3, 12 is.
    const rows = Array.from({ length: 90 }, (_, i) => ({
      group: `g${Math.floor(i / 3)}`,
      text: `${i}`,
      label: i % 3,
    }));
    const splits = assigned(rows, { test: 12 }, ['a', 'b', 'c']);
    expect(count(splits, TEST)).toBe(12);
    for (let i = 0; i < 90; i += 3) expect(new Set(splits.slice(i, i + 3)).size).toBe(1);
  });

  it('gives exactly the count asked for where every text is there twice', () => {
    for (const classes of [undefined, ['a', 'b']]) {
      const rows = Array.from({ length: 100 }, (_, i) => ({ ...single(50)[i >> 1]!, label: (i >> 1) % 2 }));
      const splits = assigned(rows, { test: 15, validation: 9 }, classes);
      expect([count(splits, TEST), count(splits, VALIDATION)]).toEqual([15, 9]);
      // The copies of the last text of each are nowhere.
      expect([count(splits, DUPLICATE), count(splits, TRAIN)]).toEqual([2, 74]);
    }
  });

  it('says when there are not enough', () => {
    expect(() => assigned(single(10), { test: 11 })).toThrow(/asks for 11 samples, and only 10/);
    const unlabelled = single(10).map((row) => ({ ...row, labelled: false }));
    expect(() => assigned(unlabelled, { validation: 1 })).toThrow(/only 0 labelled/);
  });
});

describe('LabelSelection', () => {
  const key = (i: number) => {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt32LE(mixSeed(9, i) >>> 0, 0);
    bytes.writeUInt32LE(i, 4);
    return bytes;
  };
  const choose = (perClass: number, order: number[], seed = 1) => {
    const selection = new LabelSelection(perClass, seed);
    for (const i of order) selection.offer(i, i % 3, key(i));
    return selection.chosen();
  };
  const numbers = Array.from({ length: 300 }, (_, i) => i);

  it('takes so many of each class, in any order the same ones, and more contain fewer', () => {
    const ten = choose(10, numbers);
    for (const label of [0, 1, 2]) expect([...ten].filter((i) => i % 3 === label)).toHaveLength(10);
    expect([...choose(10, numbers.toReversed())].sort()).toEqual([...ten].sort());
    for (const i of ten) expect(choose(25, numbers)).toContain(i);
    expect(choose(10, numbers, 2)).not.toEqual(ten);
    expect(choose(500, numbers).size).toBe(300);
  });

  it('is uniform', () => {
    // 40 of 100 in 200 seeds: 80 each, standard deviation 7.
    const counts = new Array<number>(100).fill(0);
    for (let seed = 0; seed < 200; seed++) {
      const selection = new LabelSelection(40, seed);
      for (let i = 0; i < 100; i++) selection.offer(i, 0, key(i));
      for (const i of selection.chosen()) (counts[i] as number)++;
    }
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(112);
  });
});
