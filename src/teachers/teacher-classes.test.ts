import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTeacherClasses, teacherClasses } from './teacher-classes.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limbeck-classes-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function read(config: unknown) {
  const file = join(folder, 'config.json');
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  return readTeacherClasses(file);
}

test('id2label names the outputs, whatever the order of its keys; label2id knows further names', () => {
  const found = read({
    id2label: { 10: 'k', 1: 'positive', 0: 'negative' },
    label2id: { negative: 0, neg: 0, positive: '1', k: 10 },
  });
  expect(found?.names.slice(0, 3)).toEqual(['negative', 'positive', undefined]);
  expect(found?.names[10]).toBe('k');
  expect(found?.synonyms).toEqual([{ name: 'neg', output: 0 }]);
});

test('label2id alone is enough', () => {
  expect(read({ label2id: { spam: 1, ham: 0 } })?.names).toEqual(['ham', 'spam']);
  expect(read({ id2label: ['ham', 'spam'] })?.names).toEqual(['ham', 'spam']);
});

test('the names that transformers gives name nothing', () => {
  expect(read({ id2label: { 0: 'LABEL_0', 1: 'LABEL_1' } })?.names).toEqual([undefined, undefined]);
  // Swapped ones do.
  expect(read({ id2label: { 0: 'LABEL_1', 1: 'LABEL_0' } })?.names).toEqual(['LABEL_1', 'LABEL_0']);
});

test('a config without classes says nothing', () => {
  expect(read({ model_type: 'bert' })).toBeUndefined();
  expect(read({ id2label: null })).toBeUndefined();
});

test.each([
  ['{"id2label": ', /no JSON/],
  [{ id2label: ['a', { b: 1 }] }, /id2label/],
  [{ id2label: { a: 'b' } }, /'a' is no number of an output/],
  [{ label2id: { a: -1 } }, /'-1' is no number/],
  [
    { id2label: { 0: 'a', 1: 'b' }, label2id: { a: 1, b: 0 } },
    /output 0 by id2label and output 1 by label2id/,
  ],
])('%j is an error that says where', (config, message) => {
  expect(() => read(config)).toThrow(
    expect.objectContaining({
      code: 'teacher.config',
      message: expect.stringMatching(message),
      where: expect.stringContaining('config.json'),
    }),
  );
});

test('teacher.labels count more than the file', () => {
  expect(teacherClasses(undefined, undefined)).toBeUndefined();
  expect(teacherClasses('/nowhere/config.json', ['b', 'LABEL_1', 'a'])).toEqual({
    names: ['b', undefined, 'a'],
    synonyms: [],
    where: 'teacher.labels',
  });
});
