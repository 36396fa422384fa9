import { mkdirSync, readFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import type { RunEvent } from '../src/events.ts';
import { parseRecipe } from '../src/recipe/parse.ts';
import { check } from '../src/run/check.ts';
import { distill } from '../src/run/distill.ts';
import { evaluate } from '../src/run/evaluate.ts';
import { label } from '../src/run/label.ts';
import { writeJsonLines } from './support/glosses.ts';
import { keywordTeacher, keywordTexts } from './support/keyword-teacher.ts';
import { tokenizerJson } from './support/onnx-teacher.ts';
import { RunPlace } from './support/small-run.ts';

const NAMES = ['billing', 'delivery', 'praise', 'technical'];
let tokenizer: Buffer;
let place: RunPlace;
let runs = 0;
beforeAll(async () => {
  tokenizer = await tokenizerJson();
});
beforeEach(() => {
  place = new RunPlace();
  const current = place;
  place.write('tokenizer.json', tokenizer);
  onTestFinished(() => current.remove());
});

interface Settings {
  readonly data?: Record<string, unknown>;
  readonly teacher?: Record<string, unknown>;
}

function recipe({ data = {}, teacher = {} }: Settings = {}) {
  return parseRecipe(
    stringify({
      name: 'order',
      data: {
        source: { kind: 'jsonl', path: 'data.jsonl' },
        splits: { validation: 80, test: 40 },
        maxLength: 16,
        ...data,
      },
      teacher: {
        kind: 'onnx',
        model: 'teacher.onnx',
        tokenizer: 'tokenizer.json',
        precision: 'f32',
        ...teacher,
      },
      student: { kind: 'text-conv', embedding: 16, width: 16 },
      objective: { kd: { weight: 0.9, temperature: 2 }, labels: { weight: 0.1 } },
      training: { epochs: 8, batchSize: 16, optimizer: { kind: 'adamw', learningRate: 0.02 } },
      export: { int8: false },
      store: 'store',
    }),
  );
}

/** Runs up to the labelling. */
async function labelled(settings?: Settings) {
  const events: RunEvent[] = [];
  await label(recipe(settings), place.options(`run-${++runs}`, { onEvent: (event) => events.push(event) }));
  return told(events);
}

/** What a run that does not come to the labelling says. */
async function refused(settings?: Settings) {
  const events: RunEvent[] = [];
  const action = label(
    recipe(settings),
    place.options(`run-${++runs}`, { onEvent: (event) => events.push(event) }),
  );
  await expect(action).rejects.toMatchObject({ code: expect.stringMatching(/^(teacher|data)\./) });
  expect(events.some((event) => event.type === 'stage-start' && event.stage === 'label')).toBe(false);
  return (await action.catch((error) => error)) as {
    code: string;
    message: string;
    where: string;
    remedy: string;
  };
}

function told(events: readonly RunEvent[]) {
  const logs = events.flatMap((event) =>
    event.type === 'log' && event.level === 'warn' && !/tokenizer/.test(event.message) ? [event.message] : [],
  );
  const teacher = events.find((event) => event.type === 'stage-end' && event.stage === 'teacher');
  return { warnings: logs, teacher: teacher?.type === 'stage-end' ? teacher.summary : '' };
}

const write = (count: number, classes: number, labelOf: (label: number) => unknown) =>
  writeJsonLines(place.path('data.jsonl'), keywordTexts(count, classes, labelOf));
const writeTeacher = async (order: readonly number[]) =>
  place.write('teacher.onnx', await keywordTeacher(order));
const writeConfig = (names: readonly string[], label2id?: Record<string, number>) =>
  place.write('config.json', JSON.stringify({ id2label: { ...names }, ...(label2id && { label2id }) }));

describe('the order of the classes', () => {
  test('numbers are in the order of their values', async () => {
    const twelve = Array.from({ length: 12 }, (_, i) => i);
    write(360, 12, (k) => k);
    await writeTeacher(twelve);
    const { teacher, warnings } = await labelled();
    expect(teacher).toMatch(/right on 100.0 % of 80 validation samples/);
    expect(warnings).toEqual([
      expect.stringMatching(/^nothing names the teacher's classes: the label 0 was taken for its output 0/),
    ]);
  });

  test("the names in the teacher's config.json are matched with the data's, and the student is as right", async () => {
    write(300, 4, (k) => NAMES[k]!.toUpperCase());
    await writeTeacher([3, 0, 2, 1]);
    writeConfig(['technical', 'billing', 'praise', 'delivery']);
    const events: RunEvent[] = [];
    const result = await distill(
      recipe(),
      place.options('a', { baseline: false, onEvent: (event) => events.push(event) }),
    );
    expect(told(events).warnings).toEqual([]);
    expect(result.teacher?.accuracy).toBe(1);
    expect(result.student.accuracy).toBeGreaterThan(0.9);
    const { id2label } = JSON.parse(readFileSync(place.path('runs', 'a', 'student', 'config.json'), 'utf8'));
    expect(Object.values(id2label)).toEqual(['TECHNICAL', 'BILLING', 'PRAISE', 'DELIVERY']);
  });

  test('data.labels keep their order, and further names of the teacher count', async () => {
    write(240, 4, (k) => ['bill', 'DELIVERY', 'praise', 'LABEL_0'][k]);
    await writeTeacher([3, 0, 2, 1]);
    writeConfig(['technical', 'billing', 'praise', 'delivery'], { bill: 1 });
    const { teacher, warnings } = await labelled({
      data: { labels: ['DELIVERY', 'praise', 'bill', 'LABEL_0'] },
    });
    expect(teacher).toMatch(/right on 100.0 %/);
    expect(warnings).toEqual([]);
  });

  test("the data set's own class names are in the order of their numbers", async () => {
    write(240, 4, (k) => k);
    await writeTeacher([0, 1, 2, 3]);
    const names = { 0: 'technical', 1: 'billing', 2: 'praise', 3: 'delivery' };
    place.write(
      'README.md',
      `---\n${stringify({ dataset_info: { features: [{ name: 'label', dtype: { class_label: { names } } }] } })}---\n`,
    );
    const { teacher, warnings } = await labelled();
    expect(teacher).toMatch(/right on 100.0 %/);
    expect(warnings).toEqual([
      expect.stringContaining(
        "its outputs were taken for 'technical', 'billing', 'praise', 'delivery', in this order",
      ),
    ]);
  });

  test('names that do not go together are refused with both lists', async () => {
    write(240, 4, (k) => NAMES[k]);
    await writeTeacher([0, 1, 2, 3]);
    writeConfig(['Rechnung', 'Versand', 'praise', 'technical']);
    expect(await refused()).toMatchObject({
      code: 'teacher.classes',
      message: "the teacher has no class 'billing', 'delivery'",
      where: expect.stringMatching(
        /'billing', 'delivery', 'praise', 'technical'; .*config.json: 'Rechnung', 'Versand', 'praise', 'technical'/,
      ),
    });
    // As the remedy says.
    const { teacher } = await labelled({
      teacher: { labels: ['billing', 'delivery', 'praise', 'technical'] },
    });
    expect(teacher).toMatch(/right on 100.0 %/);
  });
});

describe('a teacher that is measured before it labels', () => {
  test('is refused at chance, with the order that fits; in that order it teaches', async () => {
    write(300, 4, (k) => NAMES[k]);
    await writeTeacher([1, 2, 3, 0]);
    const error = await refused({ data: { labels: NAMES } });
    expect(error).toMatchObject({
      code: 'teacher.chance',
      message: expect.stringMatching(/right on 0.0 % of 80 samples/),
      remedy: expect.stringContaining('teacher.labels: [delivery, praise, technical, billing]'),
    });
    const { teacher } = await labelled({
      data: { labels: NAMES },
      teacher: { labels: ['delivery', 'praise', 'technical', 'billing'] },
    });
    expect(teacher).toMatch(/right on 100.0 %/);
  });

  test('is refused at chance where no order fits, unless the recipe says otherwise', async () => {
    write(300, 4, (k) => NAMES[k]);
    // It knows other words.
    await writeTeacher([4, 5, 6, 7]);
    const error = await refused();
    expect(error).toMatchObject({
      code: 'teacher.chance',
      remedy: expect.stringMatching(/No other order .* teacher.atChance: warn/),
    });
    const { warnings } = await labelled({ teacher: { atChance: 'warn' } });
    expect(warnings.at(-1)).toMatch(/the teacher is no better than chance/);
  });

  test('is told of two swapped classes of twelve', async () => {
    write(480, 12, (k) => `class ${k}`);
    await writeTeacher([0, 1, 11, 10, 2, 3, 4, 5, 6, 7, 8, 9]);
    // The order that is assumed: class 0, class 1, class 10, class 11, class 2 ...
    const { warnings } = await labelled({ data: { splits: { validation: 120, test: 40 } } });
    expect(warnings.at(-1)).toMatch(
      /seems to have the classes 'class 10', 'class 11' in each other's places: .* right on 100.0 %, .*teacher.labels: \[class 0, class 1, class 11, class 10, class 2/,
    );
  });
});

describe('a teacher of other classes than the data', () => {
  test('more: they are learned from its answers alone', async () => {
    mkdirSync(place.path('data'));
    writeJsonLines(place.path('data.jsonl'), [
      ...keywordTexts(240, 4, (k) => NAMES[k]),
      // No label says what these are.
      ...keywordTexts(360, 6, (k) => NAMES[k]).flatMap(({ text }, i) => (i % 6 > 3 ? [{ text }] : [])),
    ]);
    await writeTeacher([5, 0, 1, 2, 3, 4]);
    writeConfig(['music', ...NAMES, 'garden']);
    const events: RunEvent[] = [];
    const result = await distill(
      recipe(),
      place.options('a', { baseline: false, onEvent: (event) => events.push(event) }),
    );
    expect(told(events).warnings).toEqual([
      "no labelled training sample has the class 'music', 'garden': learned from the teacher's answers alone",
    ]);
    expect(result.teacher).toMatchObject({ accuracy: 1, macroF1: 1 });
    expect(result.student.accuracy).toBeGreaterThan(0.8);
    const measured = await evaluate(place.path('runs', 'a'), { split: 'validation' });
    expect(measured.classes?.map((one) => one.label)).toEqual(['music', ...NAMES, 'garden']);
    expect(measured.macroF1).toBeGreaterThan(0.8);
  });

  test('fewer: refused, and the classes that it has can be listed', async () => {
    write(240, 4, (k) => NAMES[k]);
    await writeTeacher([0, 1, 3]);
    expect(await refused()).toMatchObject({
      code: 'teacher.classes',
      message: 'the teacher has 3 classes, the data 4',
      where: expect.stringContaining("'billing', 'delivery', 'praise', 'technical'"),
    });
    const { teacher, warnings } = await labelled({ data: { labels: ['billing', 'delivery', 'technical'] } });
    expect(teacher).toMatch(/right on 100.0 %/);
    expect(warnings).toContainEqual(expect.stringMatching(/60 broken rows were left out/));
  });
});

test('what stands out among labels is told by a run and by `limbeck check`; renamed labels are one class', async () => {
  const texts = keywordTexts(240, 2, (k) => ['ham', 'spam'][k]);
  texts.forEach((row, i) => {
    if (i % 10 === 1) row.label = 'Spam ';
    if (i % 10 === 2) row.label = -100;
  });
  writeJsonLines(place.path('data.jsonl'), [...texts, { ...texts[3], label: 'ham' }]);
  await writeTeacher([0, 1]);
  const found = await check(
    recipe({ teacher: { kind: 'use-lite', model: undefined, tokenizer: undefined } }),
    place.options('c'),
  );
  expect(found.classes.map(({ name }) => name)).toEqual(['-100', 'Spam ', 'ham', 'spam']);
  expect(found.warnings).toEqual([
    expect.stringMatching(/^the classes 'Spam ' \(24 rows\), 'spam' \(96 rows\) differ in case/),
    expect.stringMatching(/^the label '-100' \(24 rows\) is a class like any other/),
    expect.stringMatching(/^1 text has different labels in different rows \(2 rows/),
  ]);
  const renameLabels = [
    { from: 'Spam ', to: 'spam' },
    { from: -100, to: null },
  ];
  const { teacher, warnings } = await labelled({ data: { renameLabels, labels: ['ham', 'spam'] } });
  // The contradictory text may be among them.
  expect(teacher).toMatch(/right on (9[78]|100)\../);
  expect(warnings).toContainEqual("24 rows with the label '-100' were taken for rows without a label");
  expect(warnings.join()).not.toMatch(/differ in case/);
});
