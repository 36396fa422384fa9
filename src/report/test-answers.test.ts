import { expect, it } from 'vitest';
import { pairedDifference } from '../metrics/interval.ts';
import { createTestAnswers } from './test-answers.ts';

it('counts who is right alone, and how often the most frequent class occurs', () => {
  const answers = createTestAnswers('student');
  const add = (truth: number, student: number, teacher: number) =>
    answers.add(
      truth,
      new Map([
        ['student', student],
        ['teacher', teacher],
      ]),
    );
  add(0, 0, 0); // both right
  add(0, 0, 1); // only the student
  add(0, 0, 2);
  add(1, 0, 1); // only the teacher
  add(2, 1, 0); // both wrong, each in its way
  expect(answers.samples).toBe(5);
  expect(answers.chance).toBe(0.6);
  expect(answers.over('teacher')).toEqual(pairedDifference({ samples: 5, onlyFirst: 2, onlySecond: 1 }));
  expect(answers.over('nobody')).toEqual({ difference: 0, low: -1, high: 1 });
});

it('has no chance level without samples', () => {
  expect(createTestAnswers('student')).toMatchObject({ samples: 0, chance: 0 });
});
