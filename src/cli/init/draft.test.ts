import { expect, test } from 'vitest';
import { taskOf } from '../../recipe/misplaced-kinds.ts';
import { parseRecipe } from '../../recipe/parse.ts';
import { kindsOf, settingsOf } from './choices.ts';
import { type Answers, draftRecipe } from './draft.ts';

const answers: Answers = {
  name: 'mails',
  source: { kind: 'csv', path: 'mails.csv' },
  teacher: 'use-lite',
  student: 'text-conv',
  labelsPerClass: 100,
  set: ['training.epochs=3'],
};

test('a drafted recipe is valid, whole and explained', () => {
  const text = draftRecipe(answers, '../recipe.schema.json');
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../recipe.schema.json');
  expect(text).toMatch(/# Passes over the training samples, at most\.\n {2}epochs: 3\n/);
  expect(text).toMatch(/# .*\(use-lite \| onnx \| onnx-image( \| [\w-]+)*\)\nteacher:\n/);
  const recipe = parseRecipe(text);
  expect(recipe).toMatchObject({
    name: 'mails',
    data: { labelsPerClass: 100, source: { path: 'mails.csv' } },
  });
});

/** What settings that are no text are given. */
const VALUES: Readonly<Record<string, unknown>> = { words: ['yes', 'no'] };

/** Students that are made of a model have to be told of which. */
const STUDENT_NEEDS: Readonly<Record<string, string[]>> = {
  onnx: ['student.model=model.onnx'],
  cut: ['student.layers=2', 'teacher={ kind: hub, model: owner/name }'],
};

test('every kind can be drafted with its required settings', () => {
  for (const { value: kind } of kindsOf('data.source')) {
    const needed = settingsOf(kind).filter(({ required }) => required);
    const source = {
      kind,
      ...Object.fromEntries(needed.map(({ key }) => [key, VALUES[key] ?? 'owner/name'])),
    };
    for (const { value: student } of kindsOf('student', taskOf(kind))) {
      const set = STUDENT_NEEDS[student];
      const drafted = { ...answers, source, student, teacher: undefined, ...(set && { set }) };
      const text = draftRecipe(drafted, 's.json');
      expect(parseRecipe(text)).toMatchObject({ data: { source: { kind } }, student: { kind: student } });
    }
  }
});

test('answers that make no recipe are refused as one', () => {
  expect(() => draftRecipe({ ...answers, teacher: 'use-light' }, 's')).toThrow(/teacher.kind/);
  expect(() => draftRecipe({ ...answers, teacher: 'use-light' }, 's')).toThrow(
    expect.objectContaining({ where: 'the recipe', remedy: "Did you mean 'use-lite'?" }),
  );
  expect(() => draftRecipe({ ...answers, set: ['training.epoch=3'] }, 's')).toThrow(
    /training.epoch: unknown key/,
  );
});

test('a source of files asks for its path and columns', () => {
  expect(settingsOf('csv').map(({ key }) => key)).toEqual(
    expect.arrayContaining(['path', 'textField', 'labelField']),
  );
  expect(settingsOf('wordnet-glosses')).toEqual([]);
});
