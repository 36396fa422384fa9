import { expect, it } from 'vitest';
import { checkRecipe } from './parse.ts';
import { teacherMemory, wantedPrecision } from './teacher-memory.ts';

const recipe = (teacher: object, more: object = {}) => ({
  name: 'large',
  data: { source: { kind: 'jsonl', path: 'rows.jsonl' } },
  teacher: { kind: 'onnx', model: 'teacher', memory: '4GB', ...teacher },
  student: { kind: 'text-conv' },
  objective: { kd: { weight: 1 } },
  ...more,
});

it('is a size, whose teacher labels in float32', () => {
  const { teacher } = checkRecipe(recipe({}));
  expect(teacherMemory({ teacher })).toBe('4GB');
  expect(wantedPrecision(teacher as { precision: 'auto'; memory: string })).toBe('f32');
  expect(wantedPrecision({ precision: 'auto' })).toBe('auto');
  expect(teacherMemory({})).toBeUndefined();
});

it('of several teachers is the least that one of them may take', () => {
  const teachers = ['4GB', undefined, '800MB', '900 MB'].map((memory) => ({
    ...{ kind: 'onnx', model: 'a' },
    ...(memory && { memory }),
  }));
  const { teacher } = checkRecipe(recipe({}, { teacher: { kind: 'several', teachers } }));
  expect(teacherMemory({ teacher })).toBe('800MB');
  expect(wantedPrecision(teacher as { precision: 'auto' })).toBe('f32');
  const trained = teachers.map((one) => ({ ...one, train: 'head' }));
  expect(() => checkRecipe(recipe({}, { teacher: { kind: 'several', teachers: trained } }))).toThrow(
    expect.objectContaining({
      problems: [0, 2, 3].map((i) => expect.objectContaining({ path: `teacher.teachers[${i}].train` })),
    }),
  );
});

it.each([
  ['teacher.memory', { memory: '4 gigs' }, {}],
  ['teacher.memory', { memory: 0 }, {}],
  ['teacher.train', { train: 'head' }, {}],
  ['teacher.precision', { precision: 'int8' }, {}],
  ['knowledge.graph', {}, { knowledge: { graph: true } }],
  ['knowledge.layers', {}, { knowledge: { layers: 'graph' } }],
] as const)('refuses %s for what needs a whole teacher: %o %o', (path, teacher, more) => {
  expect(() => checkRecipe(recipe(teacher, more))).toThrow(
    expect.objectContaining({ problems: [expect.objectContaining({ path })] }),
  );
});
