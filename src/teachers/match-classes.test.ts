import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DataClasses, matchClasses } from './match-classes.ts';

const data = (labels: string[], order: DataClasses['order'] = 'free'): DataClasses => ({
  labels,
  order,
  title: 'mails.jsonl',
});
function teacher(names: (string | undefined)[], synonyms: Record<string, number> = {}) {
  return {
    outputs: names.length,
    title: 'teacher.onnx',
    classes: {
      names,
      synonyms: Object.entries(synonyms).map(([name, output]) => ({ name, output })),
      where: 'config.json',
    },
  };
}
const nameless = (outputs: number) => ({ outputs, title: 'teacher.onnx' });
const thrown = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

describe('by name', () => {
  test('a name that several outputs have is asked about with the outputs', () => {
    // As the classes of ImageNet are named: a bird and a machine.
    const imagenet = teacher(['crane', 'dog', 'crane'], { crane: 2 });
    expect(thrown(() => matchClasses(data(['dog', 'crane']), imagenet))).toMatchObject({
      code: 'teacher.classes',
      message: "'crane' may be several outputs of the teacher: 0 (crane), 2 (crane)",
      remedy: expect.stringContaining('teacher.labels'),
    });
    expect(matchClasses(data(['dog']), imagenet).labels).toEqual(['crane', 'dog', 'crane (output 2)']);
  });

  test("found classes take the teacher's order", () => {
    const match = matchClasses(
      data(['billing', 'delivery', 'praise']),
      teacher(['praise', 'billing', 'delivery']),
    );
    expect(match).toEqual({
      labels: ['praise', 'billing', 'delivery'],
      classOfLabel: [1, 2, 0],
      outputs: [0, 1, 2],
      onlyTaught: [],
      assumed: undefined,
    });
  });

  test("data.labels keep their order, and the teacher's outputs are permuted", () => {
    const match = matchClasses(
      data(['billing', 'delivery', 'praise'], 'fixed'),
      teacher(['praise', 'billing', 'delivery']),
    );
    expect(match).toMatchObject({
      labels: ['billing', 'delivery', 'praise'],
      outputs: [1, 2, 0],
      assumed: undefined,
    });
  });

  test.each([
    ['case', ['NEGATIVE', 'positive'], ['negative', 'Positive']],
    ['spaces, hyphens, underscores', ['not_spam', 'very-bad'], ['Not Spam', 'very bad ']],
    ['numbers however written', ['1', '02'], ['1.0', '2']],
    ['other forms of the same letters', ['caf\u00e9', 'b'], ['cafe\u0301', 'b']],
  ])('whatever the %s', (_, labels, names) => {
    expect(matchClasses(data(labels), teacher(names))).toMatchObject({
      labels,
      outputs: [0, 1],
      assumed: undefined,
    });
  });

  test('by the further names of label2id, and by LABEL_1', () => {
    const names = ['negative', 'positive', 'neutral'];
    const match = matchClasses(data(['neg', 'pos'], 'fixed'), teacher(names, { POS: 1, neg: 0 }));
    expect(match).toMatchObject({ labels: ['neg', 'pos', 'neutral'], outputs: [0, 1, 2] });
    expect(matchClasses(data(['label_2', 'LABEL_0'], 'fixed'), teacher(names)).outputs).toEqual([2, 0, 1]);
  });

  test('exactly, before loosely', () => {
    const match = matchClasses(data(['a', 'A', 'a '], 'fixed'), teacher(['A', 'a ', 'a']));
    expect(match.outputs).toEqual([2, 0, 1]);
  });

  test('a class that the teacher has not: both lists', () => {
    const error = thrown(() => matchClasses(data(['cat', 'fish']), teacher(['cat', 'dog', 'bird'])));
    expect(error).toMatchObject({
      code: 'teacher.classes',
      message: "the teacher has no class 'fish'",
      where: "mails.jsonl: 'cat', 'fish'; config.json: 'cat', 'dog', 'bird'",
      remedy: expect.stringContaining('teacher.labels'),
    });
  });

  test('two classes of the data that are one of the teacher: the remedy makes one of them', () => {
    expect(
      thrown(() => matchClasses(data(['Spam', 'ham', 'spam ']), teacher(['ham', 'spam', 'x']))),
    ).toMatchObject({
      code: 'teacher.classes',
      message: "'Spam' and 'spam ' are both the class 'spam' of the teacher",
      remedy: expect.stringContaining('data.renameLabels: [{ from: "spam ", to: "Spam" }]'),
    });
  });

  test('a name that two outputs have is not guessed', () => {
    expect(thrown(() => matchClasses(data(['SPAM', 'x']), teacher(['Spam', 'spam', 'x'])))).toMatchObject({
      message: "'SPAM' may be several outputs of the teacher: 0 (Spam), 1 (spam)",
    });
  });
});

describe('by number', () => {
  test("numbers are positions in id2label; the run says so, and calls them by the teacher's names", () => {
    const match = matchClasses(data(['0', '1', '2']), teacher(['negative', 'neutral', 'positive']));
    expect(match).toMatchObject({ labels: ['negative', 'neutral', 'positive'], classOfLabel: [0, 1, 2] });
    expect(match.assumed).toMatch(/0 is 'negative', 1 is 'neutral', 2 is 'positive'/);
    // Names that a person listed stay.
    expect(matchClasses(data(['2', '0'], 'fixed'), teacher(['a', 'b', 'c']))).toMatchObject({
      labels: ['2', '0', 'b'],
      outputs: [2, 0, 1],
    });
  });

  test('a class that is named by a number is that class', () => {
    const match = matchClasses(data(['1', '2', '3']), teacher(['3', '2', '1']));
    expect(match).toMatchObject({ labels: ['3', '2', '1'], outputs: [0, 1, 2], assumed: undefined });
  });

  test('numbers from 1 are no positions in a list of names', () => {
    const stars = teacher(['one star', 'two stars', 'three stars']);
    expect(thrown(() => matchClasses(data(['1', '2', '3']), stars))).toMatchObject({
      code: 'teacher.classes',
    });
  });

  test('LABEL_0 ... and numbers are the same, and nothing is assumed', () => {
    const twelve = Array.from({ length: 12 }, (_, i) => `${i}`);
    const match = matchClasses(data(twelve), teacher(twelve.map(() => undefined)));
    expect(match).toMatchObject({ labels: twelve, assumed: undefined });
    expect(match.outputs).toEqual(twelve.map(Number));
  });

  test('without names numbers are outputs, those that are missing too', () => {
    const match = matchClasses(data(['1', '3']), nameless(4));
    expect(match).toMatchObject({
      labels: ['0', '1', '2', '3'],
      classOfLabel: [1, 3],
      onlyTaught: ['0', '2'],
    });
    expect(match.assumed).toMatch(/nothing names the teacher's classes.*1.*output 1/);
  });
});

describe('by position, where nothing names the classes', () => {
  test('says what it assumed', () => {
    const match = matchClasses(data(['billing', 'praise']), nameless(2));
    expect(match).toMatchObject({ labels: ['billing', 'praise'], outputs: [0, 1] });
    expect(match.assumed).toBe(
      "nothing names the teacher's classes: its outputs were taken for 'billing', 'praise', in this order",
    );
  });

  test('numbers from 1, as many as there are outputs', () => {
    expect(matchClasses(data(['1', '2', '3']), nameless(3))).toMatchObject({
      labels: ['1', '2', '3'],
      outputs: [0, 1, 2],
    });
  });

  test('a teacher of more classes', () => {
    const match = matchClasses(data(['a', 'b'], 'fixed'), nameless(4));
    expect(match).toMatchObject({ labels: ['a', 'b', 'LABEL_2', 'LABEL_3'], outputs: [0, 1, 2, 3] });
    expect(match.assumed).toMatch(/in this order; its other outputs are called LABEL_2, LABEL_3$/);
  });
});

test('a teacher of more classes, by name: they are added', () => {
  const names = ['phish', 'ham', 'spam', undefined];
  expect(matchClasses(data(['spam', 'ham'], 'fixed'), teacher(names))).toMatchObject({
    labels: ['spam', 'ham', 'phish', 'LABEL_3'],
    outputs: [2, 1, 0, 3],
    onlyTaught: ['phish', 'LABEL_3'],
  });
  expect(matchClasses(data(['spam', 'ham']), teacher(names)).labels).toEqual([
    'phish',
    'ham',
    'spam',
    'LABEL_3',
  ]);
});

test('a teacher of fewer classes: both lists, and what a mark for no label may be', () => {
  expect(thrown(() => matchClasses(data(['a', 'b', 'c']), nameless(2)))).toMatchObject({
    code: 'teacher.classes',
    message: 'the teacher has 2 classes, the data 3',
    where: "mails.jsonl: 'a', 'b', 'c'; teacher.onnx: 2 outputs without names",
  });
  expect(thrown(() => matchClasses(data(['-1', '0', '1']), nameless(2)))).toMatchObject({
    remedy: expect.stringContaining('data.renameLabels: [{ from: "-1", to: null }]'),
  });
});

test("a config.json of another model: as many names as outputs, or it is not the teacher's", () => {
  expect(
    thrown(() => matchClasses(data(['a', 'b']), { ...teacher(['a', 'b', 'c']), outputs: 2 })),
  ).toMatchObject({
    code: 'teacher.classes',
    message: 'the teacher has 2 outputs, and 3 classes are named for it',
    where: expect.stringContaining("config.json: 'a', 'b', 'c'"),
  });
});

test('every output is a class, and every label has one, whatever the names', () => {
  const name = fc.constantFrom('a', 'B', 'LABEL_1', '0', '1', '2', 'x y', '10');
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { minLength: 2, maxLength: 5 }),
      fc.uniqueArray(name, { minLength: 2, maxLength: 6 }),
      fc.constantFrom('free' as const, 'fixed' as const),
      fc.boolean(),
      (labels, names, order, named) => {
        const one = named
          ? teacher(names.map((n, i) => (n === `LABEL_${i}` ? undefined : n)))
          : nameless(names.length);
        let first: ReturnType<typeof matchClasses>;
        try {
          first = matchClasses(data(labels, order), one);
        } catch {
          return;
        }
        expect(new Set(first.labels).size).toBe(names.length);
        expect([...first.outputs].sort()).toEqual(names.map((_, i) => i));
        labels.forEach((_, i) => {
          expect(first.classOfLabel[i]).toBeGreaterThanOrEqual(0);
        });
      },
    ),
    { numRuns: 300 },
  );
});
